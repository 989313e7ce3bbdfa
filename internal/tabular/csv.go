package tabular

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// csvRows are the rows of a CSV file (RFC 4180) whose first line names the
// columns.
type csvRows struct {
	*counting
	in    *csv.Reader
	at    []int // where the columns that are asked for stand
	cells []string
}

func openCSV(in *counting, text io.Reader, delimiter string, columns []string) (Rows, error) {
	buffered := bufio.NewReaderSize(text, 1<<16)
	if mark, _ := buffered.Peek(3); string(mark) == "\ufeff" { // spreadsheets write one
		_, _ = buffered.Discard(3) // they are in the buffer
	}
	r := &csvRows{counting: in, in: csv.NewReader(buffered), at: make([]int, len(columns)), cells: make([]string, len(columns))}
	r.in.ReuseRecord = true
	if delimiter != "" {
		r.in.Comma = []rune(delimiter)[0]
	}
	head, err := r.in.Read()
	if err == io.EOF {
		return nil, event.Invalid{Path: "line 1", Why: "is missing", Fix: "begin the file with the names of its columns"}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the names of the columns: %w", err)
	}
	names := make([]string, len(head))
	for i, name := range head {
		names[i] = strings.TrimSpace(name)
	}
	for i, c := range columns {
		r.at[i] = slices.Index(names, c)
		if r.at[i] >= 0 && slices.Contains(names[r.at[i]+1:], c) {
			return nil, event.Invalid{Path: "column", Value: c, Why: "stands twice in the file", Fix: "give each column a name of its own"}
		}
	}
	return r, missing(columns, names)
}

// Next implements Rows. Blanks around a value belong to no value.
func (r *csvRows) Next() ([]string, error) {
	record, err := r.in.Read()
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		return nil, event.Invalid{Path: "row", Why: fmt.Sprintf("has %d cells, and the first line of the file names %d", len(record), r.in.FieldsPerRecord),
			Fix: "put quotes around a cell that holds the delimiter or a line break"}
	case err == io.EOF:
		return nil, io.EOF
	case err != nil:
		return nil, fmt.Errorf("reading CSV: %w", err)
	}
	for i, at := range r.at {
		r.cells[i] = strings.TrimSpace(record[at])
	}
	return r.cells, nil
}
