package tabular

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// longestLine bounds one object, in bytes.
const longestLine = 4 << 20

// jsonRows are the objects of a file, one a line. Columns are their members;
// a.b is the member b of a, unless there is one of the name a.b.
type jsonRows struct {
	*counting
	lines   *bufio.Scanner
	columns []string
	cells   []string
}

func openJSONL(in *counting, text io.Reader, columns []string) Rows {
	lines := bufio.NewScanner(text)
	lines.Buffer(make([]byte, 1<<16), longestLine)
	return &jsonRows{in, lines, columns, make([]string, len(columns))}
}

// Next implements Rows. A member that is missing, or null, is no value.
func (r *jsonRows) Next() ([]string, error) {
	line, err := r.line()
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var object map[string]any
	err = d.Decode(&object)
	if _, more := d.Token(); err != nil || more != io.EOF {
		return nil, event.Invalid{Path: "row", Value: shortened(line), Why: "is not an object of JSON", Fix: "write one object a line"}
	}
	for i, c := range r.columns {
		value, ok := member(object, c)
		if r.cells[i] = text(value); ok && r.cells[i] == "" && !empty(value) {
			return nil, event.Invalid{Path: "column " + c, Why: "holds a list or an object", Fix: "name one of its members, such as " + c + ".id"}
		}
	}
	return r.cells, nil
}

// line returns the next line that is not empty.
func (r *jsonRows) line() ([]byte, error) {
	for r.lines.Scan() {
		if line := bytes.TrimSpace(r.lines.Bytes()); len(line) > 0 {
			return line, nil
		}
	}
	err := r.lines.Err()
	switch {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("reading lines: one is longer than %d bytes; write one object a line, and not a whole array", longestLine)
	case err != nil:
		return nil, fmt.Errorf("reading lines: %w", err)
	}
	return nil, io.EOF
}

// member finds a column in an object.
func member(object map[string]any, name string) (any, bool) {
	if v, ok := object[name]; ok {
		return v, true
	}
	for i, c := range name {
		if c != '.' {
			continue
		}
		inner, ok := object[name[:i]].(map[string]any)
		if !ok {
			continue
		}
		if v, ok := member(inner, name[i+1:]); ok {
			return v, true
		}
	}
	return nil, false
}

// text writes a value of JSON as a cell; "" stands for what is none.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// empty reports whether a value of JSON stands for none.
func empty(v any) bool {
	s, ok := v.(string)
	return v == nil || ok && strings.TrimSpace(s) == ""
}

func shortened(line []byte) string {
	const most = 64
	if r := []rune(string(line)); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(line)
}
