package ingest

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Marks of a row in a pack.
const (
	markSynthetic = 1 << iota
	markEnrolled
	markDiffers
	markSame    // a metric row of the same event as the row before: only the unit follows
	markSourced // an exposure whose source follows at its end
)

// bodyWriter writes the events of a pack. A string is written in full where it
// occurs first and as a number after that.
type bodyWriter struct {
	b       []byte
	strings map[string]uint64
	epoch   int64 // ms that times are written relative to
}

// packBody returns the events of a batch, table by table, row by row. Equal
// batches give equal bytes.
func packBody(b Batch) []byte {
	w := &bodyWriter{
		b: make([]byte, 0, b.size()+64), strings: make(map[string]uint64, 32), epoch: b.Oldest.UnixMilli(),
	}
	writeRows(w, b.Exposures, w.exposure)
	w.uint(uint64(len(b.Metrics)))
	for i, r := range b.Metrics {
		w.metric(r, i > 0 && b.Metrics[i-1].Idx == r.Idx)
	}
	writeRows(w, b.Deployments, w.deployment)
	writeRows(w, b.Readings, w.reading)
	writeRows(w, b.Dead, w.dead)
	return w.b
}

func writeRows[R any](w *bodyWriter, rows []R, write func(R)) {
	w.uint(uint64(len(rows)))
	for _, r := range rows {
		write(r)
	}
}

func (w *bodyWriter) exposure(r ExposureRow) {
	w.byte(marks(markSynthetic, r.Synthetic) | marks(markEnrolled, r.Enrolled) | marks(markDiffers, r.Differs) | marks(markSourced, r.Source != BySender))
	w.head(r.Idx, r.ID, r.At)
	for _, s := range []string{r.Environment, r.Flag, r.Variant, r.Rollout, r.Stage, r.Arm, r.Reason} {
		w.string(s)
	}
	w.unit(r.UnitKind, r.Unit)
	w.uint(r.Revision)
	w.int(int64(r.Epoch))
	w.attributes(r.Attributes)
	if r.Source != BySender {
		w.string(string(r.Source))
	}
}

func (w *bodyWriter) metric(r MetricRow, same bool) {
	w.byte(marks(markSynthetic, r.Synthetic) | marks(markSame, same))
	w.unit(r.UnitKind, r.Unit)
	if same {
		return
	}
	w.head(r.Idx, r.ID, r.At)
	w.string(r.Environment)
	w.string(r.Name)
	w.int(r.Value)
	w.attributes(r.Attributes)
}

func (w *bodyWriter) deployment(r DeploymentRow) {
	w.byte(marks(markSynthetic, r.Synthetic))
	w.head(r.Idx, r.ID, r.At)
	w.string(r.Environment)
	w.string(r.Service)
	w.string(r.Version)
	w.attributes(r.Attributes)
}

func (w *bodyWriter) reading(r ReadingRow) {
	w.byte(marks(markSynthetic, r.Synthetic))
	w.head(r.Idx, r.ID, r.At)
	w.string(r.Environment)
	w.string(r.Name)
	w.int(r.Value)
	w.attributes(r.Labels)
}

func (w *bodyWriter) dead(d Dead) {
	w.head(d.Idx, d.ID, d.At)
	for _, s := range []string{d.Environment, d.Name, string(d.Reason), d.Why, string(d.Fact)} {
		w.string(s)
	}
}

func (w *bodyWriter) head(idx uint32, id event.ID, at time.Time) {
	w.uint(uint64(idx))
	w.b = append(w.b, id[:]...)
	w.int(at.UnixMilli() - w.epoch)
}

func (w *bodyWriter) unit(kind string, hash uint64) {
	w.string(kind)
	w.b = binary.BigEndian.AppendUint64(w.b, hash)
}

func (w *bodyWriter) attributes(m map[string]string) {
	w.uint(uint64(len(m)))
	if len(m) == 0 {
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		w.string(k)
		w.string(m[k])
	}
}

func (w *bodyWriter) string(s string) {
	if n, ok := w.strings[s]; ok {
		w.uint(n)
		return
	}
	w.strings[s] = uint64(len(w.strings)) + 1
	w.uint(0)
	w.uint(uint64(len(s)))
	w.b = append(w.b, s...)
}

func (w *bodyWriter) byte(b byte)   { w.b = append(w.b, b) }
func (w *bodyWriter) uint(n uint64) { w.b = binary.AppendUvarint(w.b, n) }
func (w *bodyWriter) int(n int64)   { w.b = binary.AppendVarint(w.b, n) }

func marks(bit byte, on bool) byte {
	if on {
		return bit
	}
	return 0
}
