package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/meter"
)

// measure returns what is measured of this replica. What cannot be asked now is
// left out.
func (h *house) measure(ctx context.Context) []meter.Family {
	list := []meter.Family{
		meter.One("sluice_build_info", "The version that runs.", meter.Gauge, 1, "version", version),
		meter.One("sluice_log_sequence", "Event of the log that this replica has applied.", meter.Gauge, float64(h.projection.Seq())),
		h.measureStreams(), h.measureMemory(),
		meter.One("sluice_goroutines", "Goroutines of this process.", meter.Gauge, float64(runtime.NumGoroutine())),
	}
	list = append(list, h.meters.families()...)
	list = append(list, h.measureRoom()...)
	list = append(list, h.measureLetters(ctx))
	list = append(list, h.measureWebhooks(ctx)...)
	list = append(list, h.measureReleases()...)
	if c, err := h.counting.get(); err == nil {
		list = append(list, c.measure(ctx, now())...)
	}
	return list
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func (h *house) measureStreams() meter.Family {
	n := 0
	for _, held := range h.hub.Holds() {
		n += held
	}
	return meter.One("sluice_sdk_streams", "SDKs that listen for changes of flags here.", meter.Gauge, float64(n))
}

// measureRoom returns how full the streams and the disk are, as the guard of
// the door saw them last.
func (h *house) measureRoom() []meter.Family {
	p := h.guard.Pressure()
	bytes := meter.Family{Name: "sluice_stream_bytes", Help: "Bytes that a stream of facts takes.", Kind: meter.Gauge}
	most := meter.Family{Name: "sluice_stream_limit_bytes", Help: "Bytes that it may take.", Kind: meter.Gauge}
	for _, f := range p.Fills {
		bytes.Add(float64(f.Bytes), "shard", f.Shard)
		most.Add(float64(f.Most), "shard", f.Shard)
	}
	list := []meter.Family{bytes, most, meter.One("sluice_events_refused", "1 while the door is shut for want of room.", meter.Gauge, truth(p.Refusing != ""))}
	if p.Space.Total > 0 {
		list = append(list,
			meter.One("sluice_disk_free_bytes", "Bytes that the disk under the streams has free.", meter.Gauge, float64(p.Space.Free)),
			meter.One("sluice_disk_total_bytes", "Bytes of that disk.", meter.Gauge, float64(p.Space.Total)))
	}
	return list
}

func (h *house) measureLetters(ctx context.Context) meter.Family {
	f := meter.Family{Name: "sluice_dead_letters", Help: "Dead letters that wait, by reason.", Kind: meter.Gauge}
	in, err := h.intake.get()
	if err != nil {
		return f
	}
	by, err := in.letters.Waiting(ctx)
	if err != nil {
		return f
	}
	for _, reason := range []ingest.Reason{ingest.UnknownMetric, ingest.Unreadable, ingest.Rejected, ingest.Lost} {
		by[reason] += 0 // it is there from the start
	}
	for _, reason := range slices.Sorted(maps.Keys(by)) {
		f.Add(float64(by[reason]), "reason", string(reason))
	}
	return f
}

// measure returns how far the facts are loaded, whether all of them are there,
// and what they are stored in.
func (c *counting) measure(ctx context.Context, now time.Time) []meter.Family {
	list := append(c.measureShards(ctx, now), c.measureBooks()...)
	return append(list, c.measureParts(ctx)...)
}

func (c *counting) measureShards(ctx context.Context, now time.Time) []meter.Family {
	behind := meter.Family{Name: "sluice_loader_behind_messages", Help: "Messages that are acknowledged and not loaded yet.", Kind: meter.Gauge}
	lag := meter.Family{Name: "sluice_loader_lag_seconds", Help: "Age of the newest loaded event while more waits to be loaded, else 0.", Kind: meter.Gauge}
	loaded := meter.Family{Name: "sluice_loader_sequence", Help: "Last message that is loaded.", Kind: meter.Gauge}
	holds := meter.Family{Name: "sluice_loader_active", Help: "1 where this replica loads the shard.", Kind: meter.Gauge}
	for _, l := range c.loaders {
		last, err := l.Stream.Last(ctx)
		if err != nil {
			continue
		}
		p, err := c.progress(ctx, l)
		if err != nil {
			continue
		}
		age := 0.0
		if last > p.Done && !p.Newest.IsZero() {
			age = now.Sub(p.Newest).Seconds()
		}
		behind.Add(float64(max(last, p.Done)-p.Done), "shard", l.Shard)
		lag.Add(age, "shard", l.Shard)
		loaded.Add(float64(p.Done), "shard", l.Shard)
		holds.Add(truth(c.loads && (l.Lease == nil || l.Lease.Held())), "shard", l.Shard)
	}
	return []meter.Family{behind, lag, loaded, holds}
}

func (c *counting) measureBooks() []meter.Family {
	published := meter.Family{Name: "sluice_events_loaded_total", Help: "Events of the messages that are loaded.", Kind: meter.Counter}
	stored := meter.Family{Name: "sluice_events_stored", Help: "Of these: events that are in the store.", Kind: meter.Gauge}
	dead := meter.Family{Name: "sluice_events_dead", Help: "Of these: events that became dead letters.", Kind: meter.Gauge}
	missing := meter.Family{Name: "sluice_events_unaccounted", Help: "Of these: events that are nowhere, which must be 0.", Kind: meter.Gauge}
	all := c.books.all()
	for _, shard := range slices.Sorted(maps.Keys(all)) {
		a := all[shard]
		published.Add(float64(a.Published), "shard", shard)
		stored.Add(float64(a.Stored), "shard", shard)
		dead.Add(float64(a.Dead), "shard", shard)
		missing.Add(float64(a.Unaccounted), "shard", shard)
	}
	return []meter.Family{published, stored, dead, missing}
}

func (c *counting) measureParts(ctx context.Context) []meter.Family {
	parts := meter.Family{Name: "sluice_warehouse_parts", Help: "Parts that a table is stored in.", Kind: meter.Gauge}
	most := meter.Family{Name: "sluice_warehouse_partition_parts", Help: "Parts of the table's partition that has the most: inserts are delayed from 1,000 on.", Kind: meter.Gauge}
	rows := meter.Family{Name: "sluice_warehouse_rows", Help: "Rows of a table, copies that are not merged yet among them.", Kind: meter.Gauge}
	bytes := meter.Family{Name: "sluice_warehouse_bytes", Help: "Bytes of a table on disk.", Kind: meter.Gauge}
	list, err := c.store.Parts(ctx)
	if err != nil {
		return nil
	}
	for _, p := range list {
		parts.Add(float64(p.Parts), "table", p.Table)
		most.Add(float64(p.Most), "table", p.Table)
		rows.Add(float64(p.Rows), "table", p.Table)
		bytes.Add(float64(p.Bytes), "table", p.Table)
	}
	return []meter.Family{parts, most, rows, bytes}
}

// measureMemory returns what this process and its engine hold in memory, where
// the system says so.
func (h *house) measureMemory() meter.Family {
	f := meter.Family{Name: "sluice_resident_bytes", Help: "Memory of a process.", Kind: meter.Gauge}
	processes := map[string]int{"sluice": os.Getpid()}
	if c, held := h.counting.opened(); held && c.motor != nil {
		processes["engine"] = c.motor.Status().PID
	}
	for _, name := range slices.Sorted(maps.Keys(processes)) {
		if n, ok := resident(processes[name]); ok {
			f.Add(float64(n), "process", name)
		}
	}
	return f
}

// resident reads the second number of statm: pages in memory.
func resident(pid int) (bytes int, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, false
	}
	var size, pages int
	if _, err := fmt.Fscan(strings.NewReader(string(b)), &size, &pages); err != nil {
		return 0, false
	}
	return pages * os.Getpagesize(), true
}
