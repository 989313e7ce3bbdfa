// Package tabular reads files of rows (CSV, lines of JSON, Parquet) and turns
// each row into events, as a mapping says. It knows what an event looks like and
// nothing of how one is sent; it draws no IDs: those of the events follow from
// the rows, so that a file that is imported again changes nothing.
//
//	m := tabular.Mapping{Source: "orders", …}
//	err := m.Validate()
//	rows, err := tabular.Open(tabular.File{Reader: f, ReaderAt: f, Size: size}, tabular.CSV, m)
//	for {
//		cells, err := rows.Next()                    // io.EOF at the end
//		events, faults := m.EventsOf(row, cells)     // of one row: JSON, and what is wrong with it
//	}
package tabular

import (
	"compress/gzip"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Format is how a file holds its rows.
type Format string

// The formats.
const (
	CSV     Format = "csv"
	JSONL   Format = "jsonl" // one JSON object a line
	Parquet Format = "parquet"
)

// FormatOf tells the format by a file's name, and whether the file is
// compressed with gzip.
func FormatOf(name string) (f Format, gzipped bool, err error) {
	name, gzipped = strings.CutSuffix(strings.ToLower(name), ".gz")
	switch ext := strings.TrimPrefix(filepath.Ext(name), "."); ext {
	case "csv", "tsv", "txt":
		return CSV, gzipped, nil
	case "jsonl", "ndjson", "json":
		return JSONL, gzipped, nil
	case "parquet", "pq":
		return Parquet, gzipped, nil
	}
	return "", false, event.Invalid{Path: "format", Value: name, Why: "does not tell how the file holds its rows", Fix: "write csv, jsonl or parquet"}
}

// File is what is read. Parquet takes a ReaderAt and the Size; the others take
// a Reader, which may be a pipe.
type File struct {
	io.Reader
	io.ReaderAt
	Size int64 // bytes; 0: not known
	Gzip bool  // the reader gives what gzip has made
}

// Rows are the rows of a file, one after the other.
type Rows interface {
	// Next returns the cells of the next row, in the order of the mapping's
	// columns, until the next call; a cell without a value is "". It returns
	// io.EOF behind the last row, and event.Invalid for a row that cannot be read
	// in a file whose next row may be. Any other error ends the file.
	Next() ([]string, error)
	// Share returns how much of the file has been read, 0 to 1; 0 when its size
	// is not known.
	Share() float64
}

// Open reads what stands before the rows, and refuses a file without a column
// that the mapping names.
func Open(f File, format Format, m Mapping) (Rows, error) {
	columns := m.columns()
	if format == Parquet {
		if f.ReaderAt == nil || f.Gzip {
			return nil, event.Invalid{Path: "format", Value: string(format), Why: "has to be a plain file: its directory stands at its end", Fix: "write it to a file first"}
		}
		return openParquet(f, columns)
	}
	in := &counting{from: f.Reader, size: f.Size}
	text := io.Reader(in)
	if f.Gzip {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("reading gzip: %w", err)
		}
		text = z
	}
	if format == CSV {
		return openCSV(in, text, m.Delimiter, columns)
	}
	return openJSONL(in, text, columns), nil
}

// counting is a reader that knows how far it has come.
type counting struct {
	from       io.Reader
	read, size int64
}

// Read implements io.Reader.
func (c *counting) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.read += int64(n)
	return n, err
}

// Share returns how much has been read.
func (c *counting) Share() float64 {
	if c.size <= 0 {
		return 0
	}
	return min(1, float64(c.read)/float64(c.size))
}

// missing refuses a file without columns that are asked for.
func missing(wanted, there []string) error {
	var faults event.Invalids
	for _, c := range wanted {
		if !slices.Contains(there, c) {
			faults.Add("column", c, "is not in the file", "the file has "+list(there))
		}
	}
	return faults.Err()
}

// list names a few of many.
func list(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}
