package warehouse

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"strconv"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/sluice-hq/sluice/event"
)

// Params are the values of the {name:Type} places of a statement: strings,
// integers (int, int64, uint64, *big.Int), bools, and lists of strings, of int64
// or of uint64.
type Params map[string]any

// with returns the parameters and one more.
func (p Params) with(name string, value any) Params {
	out := maps.Clone(p)
	out[name] = value
	return out
}

// Query is a statement that was put to the warehouse, as a decision records
// it.
type Query struct {
	SQL    string     `json:"sql"`
	Params Params     `json:"params,omitempty"`
	Hash   event.Hash `json:"hash"`         // SHA-256 over the SQL, a zero byte and the parameters as JSON
	Of     []string   `json:"of,omitempty"` // what its numbers are: OfUnits, or keys of metrics
}

// OfUnits marks the query behind the numbers of units and exposures.
const OfUnits = "units"

// newQuery returns the question that a statement and its parameters are; of is
// what its numbers are.
func newQuery(sql string, p Params, of ...string) Query {
	params, err := json.Marshal(p) // map keys are sorted
	if err != nil {
		panic(fmt.Sprintf("unreachable unless a statement has a parameter of another type: %v", err))
	}
	return Query{SQL: sql, Params: p, Hash: event.Sum([]byte(sql + "\x00" + string(params))), Of: of}
}

// query and exec are the only ways to the driver besides inserts. Parameters
// go through WithParameters: what is passed as an argument instead, the driver
// may write into the text of the statement.
func query(ctx context.Context, c driver.Conn, sql string, p Params) (driver.Rows, error) {
	return c.Query(clickhouse.Context(ctx, clickhouse.WithParameters(p.encode())), sql)
}

// one runs a statement whose result is one row, and scans it into dest.
func one(ctx context.Context, c driver.Conn, sql string, p Params, dest ...any) error {
	return c.QueryRow(clickhouse.Context(ctx, clickhouse.WithParameters(p.encode())), sql).Scan(dest...)
}

func (p Params) encode() clickhouse.Parameters {
	out := clickhouse.Parameters{}
	for name, v := range p {
		out[name] = encode(v)
	}
	return out
}

// encode writes a value as the server reads parameters: text with backslash
// escapes; in a list every text is quoted as well.
func encode(v any) string {
	switch v := v.(type) {
	case string:
		return escape.Replace(v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = "'" + strings.ReplaceAll(escape.Replace(s), "'", `\'`) + "'"
		}
		return "[" + strings.Join(quoted, ",") + "]"
	case []uint64, []int64:
		return strings.ReplaceAll(fmt.Sprint(v), " ", ",")
	case *big.Int:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case int, int64, uint64:
		return fmt.Sprint(v)
	}
	panic(fmt.Sprintf("unreachable unless a statement has a parameter of type %T", v))
}

var escape = strings.NewReplacer(`\`, `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`, "\x00", `\0`)
