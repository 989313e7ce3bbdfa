package tabular

import (
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/sluice-hq/sluice/event"
)

// writer returns how the values of a column are written as cells: times as
// RFC 3339, days as 2026-11-21, decimal numbers in full.
func writer(t parquet.Type) func(parquet.Value) string {
	if logical := t.LogicalType(); logical != nil {
		switch l := logical.Value.(type) {
		case *format.TimestampType:
			unit := int64(time.Millisecond)
			if l.Unit.Value != nil {
				unit = int64(l.Unit.Value.Duration())
			}
			return func(v parquet.Value) string { return instant(v.Int64(), unit).Format(time.RFC3339Nano) }
		case *format.DateType:
			return func(v parquet.Value) string {
				return time.Unix(int64(v.Int32())*24*60*60, 0).UTC().Format(time.DateOnly)
			}
		case *format.DecimalType:
			return func(v parquet.Value) string { return decimal(v, int(l.Scale)) }
		case *format.UUIDType:
			return func(v parquet.Value) string { return event.ID(v.ByteArray()).String() }
		case *format.IntType:
			if !l.IsSigned && t.Kind() == parquet.Int32 {
				return func(v parquet.Value) string { return strconv.FormatUint(uint64(v.Uint32()), 10) }
			}
			if !l.IsSigned {
				return func(v parquet.Value) string { return strconv.FormatUint(v.Uint64(), 10) }
			}
		}
	}
	return written[t.Kind()]
}

// written are the ways of the types that say no more of themselves.
var written = map[parquet.Kind]func(parquet.Value) string{
	parquet.Boolean:           func(v parquet.Value) string { return strconv.FormatBool(v.Boolean()) },
	parquet.Int32:             func(v parquet.Value) string { return strconv.FormatInt(int64(v.Int32()), 10) },
	parquet.Int64:             func(v parquet.Value) string { return strconv.FormatInt(v.Int64(), 10) },
	parquet.Int96:             func(v parquet.Value) string { return julian(v).Format(time.RFC3339Nano) },
	parquet.Float:             func(v parquet.Value) string { return strconv.FormatFloat(float64(v.Float()), 'g', -1, 32) },
	parquet.Double:            func(v parquet.Value) string { return strconv.FormatFloat(v.Double(), 'g', -1, 64) },
	parquet.ByteArray:         func(v parquet.Value) string { return string(v.ByteArray()) },
	parquet.FixedLenByteArray: func(v parquet.Value) string { return string(v.ByteArray()) },
}

// instant returns the moment n units of so many nanoseconds after 1970.
func instant(n, unit int64) time.Time {
	per := int64(time.Second) / unit
	seconds, rest := n/per, n%per
	return time.Unix(seconds, rest*unit).UTC()
}

// julian reads the times that Hive and old Sparks wrote: nanoseconds of a day,
// and the number of the day since 4714 BC.
func julian(v parquet.Value) time.Time {
	const day1970 = 2_440_588
	n := v.Int96()
	nanos := int64(uint64(n[1])<<32 | uint64(n[0]))
	return time.Unix((int64(n[2])-day1970)*24*60*60, nanos).UTC()
}

// decimal writes a whole number of 10^-scale.
func decimal(v parquet.Value, scale int) string {
	n := new(big.Int)
	switch v.Kind() {
	case parquet.Int32:
		n.SetInt64(int64(v.Int32()))
	case parquet.Int64:
		n.SetInt64(v.Int64())
	default:
		n = twosComplement(v.ByteArray())
	}
	digits := new(big.Int).Abs(n).String()
	if scale > 0 {
		digits = strings.Repeat("0", max(0, scale+1-len(digits))) + digits
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if n.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// twosComplement reads a big-endian number with a sign.
func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}
