package tabular

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/sluice-hq/sluice/event"
)

// parquetRows are the rows of a Parquet file. Of each group of rows, the
// columns that are asked for are read side by side and no others.
type parquetRows struct {
	groups   []parquet.RowGroup // that are still to be read
	columns  []parquetColumn
	left     int64 // rows of the present group
	all, did int64 // rows of the file
	cells    []string
}

// parquetColumn is one column of the present group.
type parquetColumn struct {
	name    string
	index   int
	write   func(parquet.Value) string
	from    parquet.ColumnChunkValueReader // nil before the first group
	buffer  []parquet.Value
	pending []parquet.Value // of buffer, not yet given out
}

func openParquet(f File, columns []string) (Rows, error) {
	file, err := parquet.OpenFile(f.ReaderAt, f.Size, parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return nil, fmt.Errorf("reading Parquet: %w", err)
	}
	there := map[string][]string{} // path by name
	var names []string
	for _, path := range file.Schema().Columns() {
		name := strings.Join(path, ".")
		there[name], names = path, append(names, name)
	}
	if err := missing(columns, names); err != nil {
		return nil, err
	}
	r := &parquetRows{groups: file.RowGroups(), all: file.NumRows(), cells: make([]string, len(columns))}
	for _, name := range columns {
		leaf, _ := file.Schema().Lookup(there[name]...)
		if leaf.MaxRepetitionLevel > 0 {
			return nil, event.Invalid{Path: "column", Value: name, Why: "holds lists", Fix: "write one value a row"}
		}
		r.columns = append(r.columns, parquetColumn{
			name: name, index: leaf.ColumnIndex, write: writer(leaf.Node.Type()), buffer: make([]parquet.Value, 1024),
		})
	}
	return r, nil
}

// Share implements Rows.
func (r *parquetRows) Share() float64 {
	if r.all == 0 {
		return 1
	}
	return float64(r.did) / float64(r.all)
}

// Next implements Rows. The library panics on some damaged files; what it says
// then is an error like any other.
func (r *parquetRows) Next() (cells []string, err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("reading Parquet: row %d is damaged: %v", r.did+1, why)
		}
	}()
	for r.left == 0 {
		if len(r.groups) == 0 {
			return nil, io.EOF
		}
		r.enter(r.groups[0])
		r.groups = r.groups[1:]
	}
	for i := range r.columns {
		v, err := r.columns[i].next()
		if err != nil {
			return nil, fmt.Errorf("reading Parquet: column %s, row %d: %w", r.columns[i].name, r.did+1, err)
		}
		r.cells[i] = ""
		if !v.IsNull() {
			r.cells[i] = strings.TrimSpace(r.columns[i].write(v))
		}
	}
	r.left--
	r.did++
	return r.cells, nil
}

// enter goes on with a group of rows.
func (r *parquetRows) enter(group parquet.RowGroup) {
	r.left = group.NumRows()
	chunks := group.ColumnChunks()
	for i := range r.columns {
		c := &r.columns[i]
		c.from, c.pending = parquet.NewColumnChunkValueReader(chunks[c.index]), nil
	}
}

// next returns the next value of the column, which has one in each row.
func (c *parquetColumn) next() (parquet.Value, error) {
	for len(c.pending) == 0 {
		n, err := c.from.ReadValues(c.buffer)
		switch {
		case n > 0: // an error comes again
		case errors.Is(err, io.EOF):
			return parquet.Value{}, io.ErrUnexpectedEOF
		case err != nil:
			return parquet.Value{}, err
		}
		c.pending = c.buffer[:n]
	}
	v := c.pending[0]
	c.pending = c.pending[1:]
	return v, nil
}
