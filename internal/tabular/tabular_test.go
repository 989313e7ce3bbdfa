package tabular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"github.com/sluice-hq/sluice/event"
)

// columns returns a mapping that asks for columns and does nothing with them.
func columns(names ...string) Mapping {
	return Mapping{wanted: names, checked: true}
}

// all reads every row, cells joined by "|"; a fault of a row stands in its place.
func all(t *testing.T, rows Rows) (lines []string) {
	t.Helper()
	for {
		cells, err := rows.Next()
		var fault event.Invalid
		switch {
		case err == io.EOF:
			return lines
		case errors.As(err, &fault):
			lines = append(lines, "fault: "+fault.Error())
		case err != nil:
			return append(lines, "error: "+err.Error())
		default:
			lines = append(lines, strings.Join(cells, "|"))
		}
	}
}

func read(t *testing.T, text string, format Format, m Mapping) []string {
	t.Helper()
	rows, err := Open(File{Reader: strings.NewReader(text), Size: int64(len(text))}, format, m)
	if err != nil {
		return []string{"error: " + err.Error()}
	}
	lines := all(t, rows)
	if rows.Share() != 1 {
		t.Errorf("%q: %v of it was read", text, rows.Share())
	}
	return lines
}

func TestCSV(t *testing.T) {
	semicolon := columns("b", "a")
	semicolon.Delimiter = ";"
	for name, c := range map[string]struct {
		text string
		m    Mapping
		want []string
	}{
		"columns in the order asked for":  {"a,b,c\n1,2,3\n4,,6\n", columns("b", "a"), []string{"2|1", "|4"}},
		"quotes, blanks, a mark of UTF-8": {"\ufeff\"a\", b \n\"x, \"\"y\"\"\",  z \n", columns("a", "b"), []string{`x, "y"|z`}},
		"another delimiter":               {"a;b\n1;2\n", semicolon, []string{"2|1"}},
		"no rows":                         {"a,b\n", columns("a"), nil},
		"rows of another length":          {"a,b\n1\n1,2\n1,2,3\n3,4\n", columns("a"), []string{"fault: row has 1 cells, and the first line of the file names 2; put quotes around a cell that holds the delimiter or a line break", "1", "fault: row has 3 cells, and the first line of the file names 2; put quotes around a cell that holds the delimiter or a line break", "3"}},
		"no file":                         {"", columns("a"), []string{"error: line 1 is missing; begin the file with the names of its columns"}},
		"a column is missing":             {"a,b\n1,2\n", columns("a", "c", "d"), []string{"error: column \"c\" is not in the file; the file has a, b\ncolumn \"d\" is not in the file; the file has a, b"}},
		"a column stands twice":           {"a,b,a\n1,2,3\n", columns("a"), []string{`error: column "a" stands twice in the file; give each column a name of its own`}},
		"a stray quote":                   {"a,b\n1,2\n\"x\"y,2\n", columns("a"), []string{"1", "error: reading CSV: parse error on line 3, column 3: extraneous or missing \" in quoted-field"}},
	} {
		if diff := cmp.Diff(c.want, read(t, c.text, CSV, c.m)); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

func TestJSONL(t *testing.T) {
	m := columns("a", "b.c", "d")
	text := `{"a": 12345678901234567890.5, "b": {"c": true}, "d": "x"}

{"b": {"c": null}, "b.c": " whole name "}
{"a": [1]}
[1]
{"a": 1} {"a": 2}
{"a": 1}}
nonsense
{"a": "last", "d": ""}`
	want := []string{
		"12345678901234567890.5|true|x", "|whole name|",
		"fault: column a holds a list or an object; name one of its members, such as a.id",
		`fault: row "[1]" is not an object of JSON; write one object a line`,
		`fault: row "{\"a\": 1} {\"a\": 2}" is not an object of JSON; write one object a line`,
		`fault: row "{\"a\": 1}}" is not an object of JSON; write one object a line`,
		`fault: row "nonsense" is not an object of JSON; write one object a line`,
		"last||",
	}
	if diff := cmp.Diff(want, read(t, text, JSONL, m)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	long := `{"a": "` + strings.Repeat("x", longestLine) + `"}`
	if got := all(t, openJSONL(&counting{}, strings.NewReader(long), []string{"a"})); len(got) < 1 || !strings.Contains(got[0], "is longer than 4194304 bytes") {
		t.Errorf("got %.200v", got)
	}
}

// parquetRow has a column of every kind that a file may have.
type parquetRow struct {
	Text     string           `parquet:"text"`
	Whole    int32            `parquet:"whole"`
	Large    int64            `parquet:"large"`
	Unsigned uint64           `parquet:"unsigned"`
	Small    uint32           `parquet:"small"`
	Float    float32          `parquet:"float"`
	Double   float64          `parquet:"double"`
	Bool     bool             `parquet:"bool"`
	Milli    time.Time        `parquet:"milli,timestamp(millisecond)"`
	Micro    time.Time        `parquet:"micro,timestamp(microsecond)"`
	Nano     time.Time        `parquet:"nano,timestamp(nanosecond)"`
	Old      deprecated.Int96 `parquet:"old"`
	Day      int32            `parquet:"day,date"`
	Cents    int64            `parquet:"cents,decimal(2:18)"`
	Wide     [9]byte          `parquet:"wide,decimal(3:20)"`
	UUID     [16]byte         `parquet:"uuid,uuid"`
	Maybe    *string          `parquet:"maybe,optional"`
	Inner    struct {
		Deep *int64 `parquet:"deep,optional"`
	} `parquet:"inner"`
	List []string `parquet:"list"`
}

func parquetFile(t testing.TB, rows []parquetRow) File {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b, parquet.MaxRowsPerRowGroup(2000), parquet.Compression(&parquet.Snappy))
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return File{ReaderAt: bytes.NewReader(b.Bytes()), Size: int64(b.Len())}
}

var everyKind = []string{
	"text", "whole", "large", "unsigned", "small", "float", "double", "bool", "milli", "micro", "nano", "old", "day", "cents", "wide", "uuid", "maybe", "inner.deep",
}

// TestParquet: values of every type are written as people write them, the
// columns side by side, over the borders of groups of rows.
func TestParquet(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 30, 15, 123_456_789, time.UTC)
	deep, here := int64(7), "here"
	row := parquetRow{
		Text: "a|ü", Whole: -1, Large: -1 << 63, Unsigned: 1<<64 - 1, Small: 1<<32 - 1, Float: 0.1, Double: 1.25, Bool: true,
		Milli: at.Truncate(time.Millisecond), Micro: at.Truncate(time.Microsecond), Nano: at, Day: 20778, Cents: -5, UUID: [16]byte{15: 1}, Maybe: &here,
	}
	row.Inner.Deep = &deep
	nanos := uint64(9*3600+30*60+15)*1e9 + 123_456_789
	row.Old = deprecated.Int96{uint32(nanos), uint32(nanos >> 32), 2_440_588 + 20778}
	copy(row.Wide[:], twos(-123456789012345678, 9))
	rows := make([]parquetRow, 4500)
	for i := range rows {
		rows[i] = row
		rows[i].Large = int64(i)
		if i%3 == 0 {
			rows[i].Maybe, rows[i].Inner.Deep = nil, nil
		}
	}
	read, err := Open(parquetFile(t, rows), Parquet, columns(everyKind...))
	if err != nil {
		t.Fatal(err)
	}
	const same = "a|ü|-1|%d|18446744073709551615|4294967295|0.1|1.25|true|2026-11-21T09:30:15.123Z|2026-11-21T09:30:15.123456Z|2026-11-21T09:30:15.123456789Z|" +
		"2026-11-21T09:30:15.123456789Z|2026-11-21|-0.05|-123456789012345.678|00000000-0000-0000-0000-000000000001|%s"
	lines := all(t, read)
	for i, got := range lines {
		rest := "here|7"
		if i%3 == 0 {
			rest = "|"
		}
		if want := fmt.Sprintf(same, i, rest); got != want {
			t.Fatalf("row %d: got\n%s\nwant\n%s", i, got, want)
		}
	}
	if len(lines) != len(rows) || read.Share() != 1 {
		t.Errorf("%d rows of %d, share %v", len(lines), len(rows), read.Share())
	}
}

// twos writes a number in two's complement.
func twos(n int64, size int) []byte {
	v := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), uint(8*size)), big.NewInt(n))
	return v.FillBytes(make([]byte, size+1))[1:]
}

func TestParquet_refuses(t *testing.T) {
	f := parquetFile(t, make([]parquetRow, 10))
	for name, c := range map[string]struct {
		file File
		m    Mapping
		want string
	}{
		"lists":            {f, columns("list"), `column "list" holds lists; write one value a row`},
		"no such column":   {f, columns("texts"), `column "texts" is not in the file; the file has`},
		"a pipe":           {File{Reader: strings.NewReader("")}, columns("text"), "has to be a plain file"},
		"no parquet":       {File{ReaderAt: strings.NewReader("a,b\n1,2\n3,4\n"), Size: 12}, columns("text"), "reading Parquet"},
		"an empty file":    {File{ReaderAt: strings.NewReader("")}, columns("text"), "reading Parquet"},
		"half of the file": {File{ReaderAt: f.ReaderAt, Size: f.Size / 2}, columns("text"), "reading Parquet"},
	} {
		if _, err := Open(c.file, Parquet, c.m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestParquet_damage flips bits of a file: rows come, or an error does, and
// nothing else happens.
func TestParquet_damage(t *testing.T) {
	f := parquetFile(t, make([]parquetRow, 300))
	whole := make([]byte, f.Size)
	if _, err := f.ReadAt(whole, 0); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for i := range 400 {
		damaged := bytes.Clone(whole)
		damaged[(i*7919)%(len(damaged)*3/4)] ^= 1 << (i % 8) // the pages, not the directory at the end
		rows, err := Open(File{ReaderAt: bytes.NewReader(damaged), Size: f.Size}, Parquet, columns(everyKind...))
		if err != nil {
			failed++
			continue
		}
		if lines := all(t, rows); len(lines) != 300 || strings.HasPrefix(lines[len(lines)-1], "error: ") {
			failed++
		}
	}
	if failed == 0 {
		t.Error("no damage was noticed, so the test does not reach the pages")
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]string{
		"a/b.csv": "csv false", "b.TSV": "csv false", "b.csv.gz": "csv true", "x.ndjson": "jsonl false", "x.json.gz": "jsonl true", "d.parquet": "parquet false",
		"-": `format "-" does not tell how the file holds its rows; write csv, jsonl or parquet`,
	} {
		f, gz, err := FormatOf(name)
		got := fmt.Sprint(f, " ", gz)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestOpen_gzip reads compressed rows, and says when they are not.
func TestOpen_gzip(t *testing.T) {
	const file = "testdata/rows.csv.gz"
	f, err := os.Open(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := Open(File{Reader: f, Gzip: true}, CSV, columns("b"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(all(t, rows), " "); got != "2 4" || rows.Share() != 0 {
		t.Errorf("got %s, share %v", got, rows.Share())
	}
	if _, err := Open(File{Reader: strings.NewReader("a,b\n"), Gzip: true}, CSV, columns("b")); err == nil || !strings.Contains(err.Error(), "reading gzip") {
		t.Errorf("got %v", err)
	}
}
