// Package meter holds measurements of the running house and writes them as
// Prometheus reads them (text format 0.0.4). It never looks at anything by
// itself, and it never keeps a value per event, unit, flag or caller: labels
// name shards, tables and reasons, of which there are few.
//
//	acks := meter.NewHistogram(0.001, 0.01, 0.1, 1)
//	acks.Observe(0.004)
//	err := meter.Write(w, []meter.Family{acks.Family("sluice_event_ack_seconds", "Time until events are on disk.")})
package meter

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
)

// Kind is what Prometheus takes a measurement for.
type Kind string

// The kinds.
const (
	Gauge   Kind = "gauge"   // goes up and down
	Counter Kind = "counter" // only grows, from 0 at every start
	Buckets Kind = "histogram"
)

// Family is one measurement: all samples of one name.
type Family struct {
	Name    string // "sluice_…", of a counter "…_total"
	Help    string // a sentence
	Kind    Kind
	Samples []Sample
}

// Sample is one value.
type Sample struct {
	Suffix string   // of the name: "_bucket", "_sum", "_count"; else empty
	Labels []string // names and values in turn
	Value  float64
}

// One is the family of a single value.
func One(name, help string, kind Kind, value float64, labels ...string) Family {
	return Family{name, help, kind, []Sample{{Labels: labels, Value: value}}}
}

// Add adds a sample.
func (f *Family) Add(value float64, labels ...string) {
	f.Samples = append(f.Samples, Sample{Labels: labels, Value: value})
}

// Count is a counter that many goroutines may count with. The zero value is
// ready.
type Count struct{ n atomic.Uint64 }

// Add counts n more.
func (c *Count) Add(n int) { c.n.Add(uint64(max(n, 0))) }

// Value returns the count.
func (c *Count) Value() float64 { return float64(c.n.Load()) }

// Histogram counts values by size. NewHistogram makes one; it is safe for
// concurrent use.
type Histogram struct {
	bounds []float64
	counts []atomic.Uint64 // one more than bounds: the last is everything above
	sum    atomic.Uint64   // bits of a float64
}

// NewHistogram returns a histogram with buckets up to each of the bounds, which
// rise.
func NewHistogram(bounds ...float64) *Histogram {
	return &Histogram{bounds: bounds, counts: make([]atomic.Uint64, len(bounds)+1)}
}

// Observe counts a value.
func (h *Histogram) Observe(v float64) {
	i := 0
	for i < len(h.bounds) && v > h.bounds[i] {
		i++
	}
	h.counts[i].Add(1)
	for {
		old := h.sum.Load()
		if h.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+v)) {
			return
		}
	}
}

// Family returns the histogram's samples.
func (h *Histogram) Family(name, help string) Family {
	f := Family{Name: name, Help: help, Kind: Buckets}
	n := uint64(0)
	for i := range h.counts {
		n += h.counts[i].Load()
		le := "+Inf"
		if i < len(h.bounds) {
			le = strconv.FormatFloat(h.bounds[i], 'g', -1, 64)
		}
		f.Samples = append(f.Samples, Sample{"_bucket", []string{"le", le}, float64(n)})
	}
	f.Samples = append(f.Samples, Sample{"_sum", nil, math.Float64frombits(h.sum.Load())}, Sample{"_count", nil, float64(n)})
	return f
}

var (
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	escaped   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
	inComment = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
)

// Write writes the families. A family without samples is left out; names that
// Prometheus would not read, and two families of one name, are errors.
func Write(w io.Writer, families []Family) error {
	b := bufio.NewWriter(w)
	seen := map[string]bool{}
	for _, f := range families {
		if len(f.Samples) == 0 {
			continue
		}
		if !nameForm.MatchString(f.Name) || seen[f.Name] {
			return fmt.Errorf("%q is no name of a measurement, or of two", f.Name)
		}
		seen[f.Name] = true
		fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", f.Name, inComment.Replace(f.Help), f.Name, f.Kind)
		for _, s := range f.Samples {
			if err := s.write(b, f.Name); err != nil {
				return err
			}
		}
	}
	return b.Flush()
}

func (s Sample) write(b *bufio.Writer, name string) error {
	b.WriteString(name + s.Suffix)
	for i := 0; i+1 < len(s.Labels); i += 2 {
		if !nameForm.MatchString(s.Labels[i]) {
			return fmt.Errorf("%s: %q is no name of a label", name, s.Labels[i])
		}
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		b.WriteString(s.Labels[i] + `="` + escaped.Replace(s.Labels[i+1]) + `"`)
	}
	if len(s.Labels) > 0 {
		b.WriteByte('}')
	}
	b.WriteString(" " + strconv.FormatFloat(s.Value, 'g', -1, 64) + "\n")
	return nil
}
