package main

import (
	"encoding/json"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/sluice-hq/sluice/internal/manifest"
)

// output is the form in which a command writes what it found.
type output struct {
	Output string `short:"o" enum:"table,json,yaml" default:"table" help:"table, json or yaml."`
}

// write prints v as JSON or YAML, or what table writes of it: cells end with a
// tab, lines with a newline.
func (o output) write(v any, table func(io.Writer)) error {
	switch o.Output {
	case "json":
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(v)
	case "yaml":
		b, err := manifest.Encode(v)
		if err == nil {
			_, err = os.Stdout.Write(b)
		}
		return err
	}
	w := tabwriter.NewWriter(terminal{os.Stdout}, 0, 4, 2, ' ', 0)
	table(w)
	return w.Flush()
}

// thousands writes 90189 as 90,189.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// percent writes a share or a relative change: -0.0431 as −4.3 %.
func percent(x float64) string {
	s := strings.Replace(strconv.FormatFloat(x*100, 'f', 1, 64), "-0.0", "0.0", 1) + " %"
	if s[0] == '-' {
		return "−" + s[1:]
	}
	return s
}
