package ingest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// bodyReader reads what bodyWriter wrote. The first fault sticks; what is read
// behind it is zero.
type bodyReader struct {
	b        []byte
	strings  []string
	epoch    int64
	received time.Time
	bad      bool
}

// leastRow is the size of the smallest row, a further unit of a metric event.
// It bounds what a lying count can make us allocate.
const leastRow = 10

func unpackBody(body []byte, h Header) (Batch, error) {
	r := &bodyReader{b: body, epoch: h.Oldest.UnixMilli(), received: h.Received}
	b := Batch{Count: h.Count, Oldest: h.Oldest, Newest: h.Newest, Received: h.Received}
	b.Exposures = readRows(r, func(ExposureRow) ExposureRow { return r.exposure() })
	b.Metrics = readRows(r, r.metric)
	b.Deployments = readRows(r, func(DeploymentRow) DeploymentRow { return r.deployment() })
	b.Readings = readRows(r, func(ReadingRow) ReadingRow { return r.reading() })
	b.Dead = readRows(r, func(Dead) Dead { return r.dead() })
	if r.bad || len(r.b) > 0 {
		return Batch{}, fmt.Errorf("%w: its events are not what its header says", ErrUnreadable)
	}
	if n := b.events(); n != h.Count {
		return Batch{}, fmt.Errorf("%w: it holds %d events and says %d", ErrUnreadable, n, h.Count)
	}
	return b, nil
}

// readRows reads one table; read gets the row before.
func readRows[R any](r *bodyReader, read func(R) R) []R {
	n := r.uint()
	if n == 0 || n > uint64(len(r.b)/leastRow) {
		r.bad = r.bad || n > 0
		return nil
	}
	rows := make([]R, n)
	var last R
	for i := range rows {
		last = read(last)
		rows[i] = last
		if r.bad {
			return nil
		}
	}
	return rows
}

func (r *bodyReader) exposure() (row ExposureRow) {
	marks := r.byte()
	row.Synthetic, row.Enrolled, row.Differs = marks&markSynthetic != 0, marks&markEnrolled != 0, marks&markDiffers != 0
	row.Idx, row.ID, row.At = r.head()
	row.Day, row.Received = DayOf(row.ID), r.received
	for _, s := range []*string{&row.Environment, &row.Flag, &row.Variant, &row.Rollout, &row.Stage, &row.Arm, &row.Reason} {
		*s = r.string()
	}
	row.UnitKind, row.Unit = r.unit()
	row.Revision, row.Epoch = r.uint(), int32(r.int())
	row.Attributes = r.attributes()
	if marks&markSourced != 0 {
		row.Source = Source(r.string())
	}
	return row
}

func (r *bodyReader) metric(last MetricRow) (row MetricRow) {
	marks := r.byte()
	kind, unit := r.unit()
	if marks&markSame != 0 {
		last.UnitKind, last.Unit = kind, unit
		return last
	}
	row.Synthetic, row.UnitKind, row.Unit = marks&markSynthetic != 0, kind, unit
	row.Idx, row.ID, row.At = r.head()
	row.Day, row.Received = DayOf(row.ID), r.received
	row.Environment, row.Name, row.Value = r.string(), r.string(), r.int()
	row.Attributes = r.attributes()
	return row
}

func (r *bodyReader) deployment() (row DeploymentRow) {
	row.Synthetic = r.byte()&markSynthetic != 0
	row.Idx, row.ID, row.At = r.head()
	row.Day, row.Received = DayOf(row.ID), r.received
	row.Environment, row.Service, row.Version = r.string(), r.string(), r.string()
	row.Attributes = r.attributes()
	return row
}

func (r *bodyReader) reading() (row ReadingRow) {
	row.Synthetic = r.byte()&markSynthetic != 0
	row.Idx, row.ID, row.At = r.head()
	row.Day, row.Received = DayOf(row.ID), r.received
	row.Environment, row.Name, row.Value = r.string(), r.string(), r.int()
	row.Labels = r.attributes()
	return row
}

func (r *bodyReader) dead() (d Dead) {
	d.Idx, d.ID, d.At = r.head()
	d.Environment, d.Name, d.Reason, d.Why = r.string(), r.string(), Reason(r.string()), r.string()
	d.Fact = json.RawMessage(r.string())
	return d
}

func (r *bodyReader) head() (idx uint32, id event.ID, at time.Time) {
	idx = uint32(r.uint())
	copy(id[:], r.take(len(id)))
	return idx, id, time.UnixMilli(r.epoch + r.int()).UTC()
}

func (r *bodyReader) unit() (kind string, hash uint64) {
	kind = r.string()
	if b := r.take(8); b != nil {
		hash = binary.BigEndian.Uint64(b)
	}
	return kind, hash
}

func (r *bodyReader) attributes() map[string]string {
	n := r.uint()
	if n == 0 || n > uint64(len(r.b)) {
		r.bad = r.bad || n > 0
		return nil
	}
	m := make(map[string]string, min(n, maxAttributes))
	for range n {
		k := r.string()
		m[k] = r.string()
		if r.bad {
			return nil
		}
	}
	return m
}

func (r *bodyReader) string() string {
	n := r.uint()
	switch {
	case n == 0:
		s := string(r.take(int(min(r.uint(), maxBody+1))))
		r.strings = append(r.strings, s)
		return s
	case n <= uint64(len(r.strings)):
		return r.strings[n-1]
	}
	r.bad = true
	return ""
}

// take returns the next n bytes, or nil when there are fewer.
func (r *bodyReader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *bodyReader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *bodyReader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	r.take(max(n, 0))
	r.bad = r.bad || n <= 0
	return v
}

func (r *bodyReader) int() int64 {
	v, n := binary.Varint(r.b)
	r.take(max(n, 0))
	r.bad = r.bad || n <= 0
	return v
}

// events counts the different events of a batch whose indexes must lie below
// Count; it returns more than Count when one does not.
func (b Batch) events() uint32 {
	seen := make([]bool, min(b.Count, uint32(b.Rows.Len()+len(b.Dead))+1))
	n := uint32(0)
	b.stamp(func(p *Place) {
		switch {
		case p.Idx >= uint32(len(seen)):
			n = b.Count + 1
		case !seen[p.Idx]:
			seen[p.Idx] = true
			n++
		}
	})
	return n
}
