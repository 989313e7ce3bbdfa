package sdk

import (
	"context"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// Names of readings. The first is the server's for counts of evaluations, by
// which a flag is known to be in use.
const (
	evaluationsReading = "flag.evaluations"
	droppedReading     = "sdk.events.dropped"
)

// mostCounted is what one reading can count.
const mostCounted = 1_000_000_000

// reporting counts evaluations, and says what was dropped, until ctx is done.
func (p *Provider) reporting(ctx context.Context) {
	if p.config.report() < 0 {
		return
	}
	ticker := time.NewTicker(p.config.report())
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			p.report()
		case <-ctx.Done():
			return
		}
	}
}

// report tells what was counted since the last time.
func (p *Provider) report() {
	for _, s := range []*snapshot{p.opened.Swap(nil), p.held.Load()} {
		if s != nil {
			p.count(s.drain())
		}
	}
	p.confess()
}

// count reports how often flags gave which answer.
func (p *Provider) count(counts []flags.Count) {
	if p.config.report() < 0 {
		return
	}
	for _, c := range counts {
		labels := map[string]string{"flag": c.Flag, "reason": string(c.Reason)}
		if c.Variant != "" {
			labels["variant"] = c.Variant
		}
		p.read(evaluationsReading, min(c.Asked, mostCounted), labels)
	}
}

// confess reports how many events there was no room for since the last time: an
// experiment that lacks some must not look as if it had all.
func (p *Provider) confess() {
	if p.config.report() < 0 {
		return
	}
	c, _ := p.queue.see()
	if told := p.confessed.Swap(c.dropped); c.dropped > told {
		p.read(droppedReading, c.dropped-told, map[string]string{"sdk": sdkName})
	}
}

func (p *Provider) read(name string, value uint64, labels map[string]string) {
	f := newFact("reading", p.config.now())
	v := float64(value)
	f.Name, f.Value, f.Labels = name, &v, labels
	p.enqueue(&f)
}
