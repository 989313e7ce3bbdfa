package dashboards

import (
	"bytes"
	"maps"
	"slices"
	"testing"
)

// BenchmarkWeight tells how many bytes a browser gets: of scripts and styles, which
// it keeps, and of the pages with the most on them. Its time is that of making one.
func BenchmarkWeight(b *testing.B) {
	for _, name := range []string{"htmx-4.0.1.min.js", "page.js", "events.js", "style.css"} {
		b.Run(name, func(b *testing.B) {
			weigh(b, assets[name].body)
		})
	}
	pages := samples()
	pages["readout-many"] = readoutMany()
	pages["readout-50"] = armedPage(fifty())
	for _, name := range slices.Sorted(maps.Keys(pages)) {
		if !slices.Contains(weighed, name) {
			continue
		}
		b.Run(name, func(b *testing.B) {
			var page bytes.Buffer
			for b.Loop() {
				page.Reset()
				if err := Render(&page, pages[name]); err != nil {
					b.Fatal(err)
				}
			}
			weigh(b, page.Bytes())
		})
	}
}

// weighed are the pages of which a reader may ask how heavy they are: the usual ones,
// and those with 200 rollouts, 50 metrics in 3 arms, 60 metrics in 12 arms.
var weighed = []string{"home", "home-many", "rollout", "rollout-many", "readout", "readout-50", "readout-many", "record", "decisions", "flags", "flag", "events", "simulate"}

func weigh(b *testing.B, body []byte) {
	b.ReportMetric(float64(len(body)), "bytes")
	b.ReportMetric(float64(zipped(b, body)), "bytes-gz")
}
