package decisions

import (
	"fmt"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Proving is what is known of a rollback: who holds it, and what was exposed
// after it. It is recorded whole, with the numbers, when the rollback is proven
// and when the time for that is over.
type Proving struct {
	At          time.Time      `json:"at"`                    // when it was looked at
	Bound       Percent        `json:"bound"`                 // share of unsafe exposures that is tolerated
	Within      Window         `json:"within"`                // of the flag change
	Held        time.Time      `json:"held,omitzero"`         // when every replica and stream was first seen to hold the change; zero: not yet
	Replicas    int            `json:"replicas"`              //
	Behind      []string       `json:"behind,omitempty"`      // of these, those that have not applied the change
	Streams     int            `json:"streams"`               // connected SDKs
	Older       int            `json:"older,omitempty"`       // of these, those that hold an older revision
	Counted     time.Time      `json:"counted,omitzero"`      // up to when exposures are counted
	Exposures   int64          `json:"exposures"`             // since the flag change
	Unsafe      int64          `json:"unsafe"`                // of these, by an older revision and not the safe variant
	Safe        time.Time      `json:"safe,omitzero"`         // since when unsafe exposures are within the bound; zero: they are not
	Since       int64          `json:"since"`                 // exposures since then
	UnsafeSince int64          `json:"unsafeSince,omitempty"` // of these, the unsafe ones
	TimeToSafe  event.Duration `json:"timeToSafe,omitempty"`  // from the decision until both held; 0: they do not yet
	Why         string         `json:"why,omitempty"`         // what is missing, or that it came late; empty: it is proven
	Queries     []Query        `json:"queries,omitempty"`
}

// settle is how long exposures must have stayed within the bound: a tenth of the
// time for the proof, between a second and half a minute. Without it, the quiet
// moment between two batches of events would prove something.
func (p Proof) settle() time.Duration {
	return min(max(time.Duration(p.Within)/10, time.Second), 30*time.Second)
}

// step is how finely exposures are counted: few hundred bins, whatever the time.
func (p Proof) step() time.Duration {
	return max(time.Duration(p.Within)/300, time.Second)
}

// deadline is when the time for the proof is over. What came at its end has time
// to settle and to be counted.
func (p Proof) deadline(changed time.Time) time.Time {
	return changed.Add(time.Duration(p.Within) + p.settle())
}

// prove says what is known of a return at a time.
func (t Return) prove(p Proof, h Holders, x Exposed, now time.Time) Proving {
	v := Proving{
		At: now, Bound: p.UnsafeExposures, Within: p.Within, Replicas: h.Replicas, Behind: h.Behind, Streams: h.Streams, Older: h.Older,
		Counted: x.Until, Queries: x.Queries,
	}
	if !h.At.IsZero() {
		v.Held = later(h.At, t.Effective) // nobody holds what is not there yet
	}
	v.calm(t, p, x.Bins)
	v.Why = v.missing(t, p)
	if !v.Held.IsZero() && !v.Safe.IsZero() {
		v.TimeToSafe = event.Duration(max(later(v.Held, v.Safe).Sub(t.Decided), 0))
	}
	return v
}

// calm finds the earliest moment from which on unsafe exposures are within the
// bound: that of the last one before. Where nothing is exposed nothing is unsafe.
func (v *Proving) calm(t Return, p Proof, bins []Bin) {
	if len(bins) == 0 {
		v.Safe = t.Effective
	}
	for i := len(bins) - 1; i >= 0; i-- {
		v.Exposures += bins[i].All
		v.Unsafe += bins[i].Unsafe
		if float64(v.Unsafe) > p.UnsafeExposures.Fraction()*float64(v.Exposures) {
			continue
		}
		v.Since, v.UnsafeSince, v.Safe = v.Exposures, v.Unsafe, t.Effective
		if i > 0 {
			v.Safe = later(bins[i-1].Last, t.Effective)
		}
	}
}

// missing says what a proof lacks, "" when it is whole.
func (v Proving) missing(t Return, p Proof) string {
	end := t.Effective.Add(time.Duration(p.Within))
	switch {
	case v.Held.IsZero() && len(v.Behind) > 0:
		return fmt.Sprintf("%d of %d replicas have not applied it: %s", len(v.Behind), v.Replicas, strings.Join(v.Behind, ", "))
	case v.Held.IsZero():
		return fmt.Sprintf("%s of %s connected SDKs hold an older revision", count(int64(v.Older)), count(int64(v.Streams)))
	case v.Safe.IsZero():
		return fmt.Sprintf("%s of %s exposures since it are of an older revision, and not of the safe variant; %s is tolerated",
			count(v.Unsafe), count(v.Exposures), percent(v.Bound.Fraction()))
	case v.Counted.Before(later(v.Safe, v.Held).Add(p.settle())):
		return "exposures are counted until " + clock(v.Counted) + ", which is too early to tell"
	case v.Held.After(end) || v.Safe.After(end):
		return fmt.Sprintf("it took longer than %s", p.Within)
	}
	return ""
}

// Text says for people how a rollback came through.
func (v Proving) Text() string {
	who := fmt.Sprintf("%s and %s", plural(v.Replicas, "replica"), plural(v.Streams, "connected SDK"))
	if v.Why != "" {
		return fmt.Sprintf("not proven: %s (%s)", v.Why, who)
	}
	return fmt.Sprintf("safe %s after the decision: held by %s; %s of %s exposures since the change were unsafe, %s of %s since it came through",
		time.Duration(v.TimeToSafe).Round(time.Millisecond), who, count(v.Unsafe), count(v.Exposures), count(v.UnsafeSince), count(v.Since))
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return count(int64(n)) + " " + what + "s"
}
