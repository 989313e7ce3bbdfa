package dashboards

import (
	"html/template"
	"strconv"
	"strings"
	"time"
)

// functions are what the templates call: how values are written, and where
// assets are.
func functions() template.FuncMap {
	return template.FuncMap{
		"asset":      assetURL,
		"axis":       NewAxis,
		"strip":      strip,
		"heads":      heads,
		"grouped":    grouped,
		"value":      Row.value,
		"difference": Row.difference,
		"arrow":      arrow,
		"change":     change,
		"span":       span,
		"percent":    percent,
		"short":      short,
		"number":     number,
		"chance":     chance,
		"equals":     equals,
		"count":      count,
		"length":     length,
		"moment":     moment,
		"clock":      clock,
		"machine":    machine,
		"brief":      brief,
		"known":      known,
		"name":       func(s string) string { return clip(s, 120) },
		"key":        key,
		"text":       func(s string) string { return clip(s, 600) },
		"slot":       newSlot,
		"plot":       func() plotSize { return plotSize{plotWidth, plotHeight} },
	}
}

// plotSize is the size of one strip of the forest plot in pixels.
type plotSize struct{ Width, Height float64 }

// Middle returns the height of the strip's middle line.
func (p plotSize) Middle() float64 { return p.Height / 2 }

// strip draws the i-th row of a readout.
func strip(a Axis, i int, r Row, level float64) Strip {
	return a.Strip("strip-"+strconv.Itoa(i), r, level)
}

// heads reports whether the i-th row begins a metric of several arms, which
// stand below its name.
func heads(rows []Row, i int) bool {
	return grouped(rows, i) && (i == 0 || rows[i-1].Metric != rows[i].Metric)
}

// grouped reports whether the i-th row is one of several arms of its metric.
func grouped(rows []Row, i int) bool {
	same := func(j int) bool { return j >= 0 && j < len(rows) && rows[j].Metric == rows[i].Metric }
	return rows[i].Arm != "" && (same(i-1) || same(i+1))
}

// arrow says in which direction a value moved; the verdict says whether that
// was wanted.
func arrow(v float64) string {
	switch {
	case v > 0:
		return "↑"
	case v < 0:
		return "↓"
	}
	return ""
}

// machine writes a time as the datetime attribute wants it.
func machine(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// brief shortens a hash to what a person compares.
func brief(hash string) string {
	if len(hash) <= 12 {
		return hash
	}
	return strings.ToLower(hash[:12])
}

// clip shortens a text that would push everything else off the page. The
// whole text is in the JSON of the page.
func clip(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

// key writes a key so that a narrow column breaks it after a dot or an
// underscore, where a reader would.
func key(s string) template.HTML {
	text := template.HTMLEscapeString(clip(s, 120))
	return template.HTML(breaks.Replace(text))
}

var breaks = strings.NewReplacer(".", ".<wbr>", "_", "_<wbr>")

// known reports whether a number is one.
func known(v float64) bool { return v == v }
