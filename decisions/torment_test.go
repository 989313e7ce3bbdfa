package decisions

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
	"github.com/sluice-hq/sluice/stats"
)

// often returns how often a test does what it does: the short number, or that of
// an environment variable. make torment says the long ones.
func often(t *testing.T, name string, short int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return short
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q, want a number from 1", name, text)
	}
	return n
}

// pour is a traffic of batches: as honest as one of units, and cheap however
// long it goes on.
type pour struct {
	rng   *rand.Rand
	rates map[string][2]float64 // metric -> chance in control and in treatment
	n     int
}

// pour lets n units come under the present stage, in equal arms, and moves the
// clock a minute on.
func (h *house) pour(p *pour, n int) {
	h.now = h.now.Add(time.Minute)
	var r Rollout
	h.proj.View(func(uint64) { r, _ = h.state.Newest("production", "gate") })
	stage, ok := r.Now()
	if !ok {
		return // nobody is exposed yet
	}
	at := h.now.Add(-2 * time.Second)
	for side, arm := range []string{"gate_30", "gate_40"} {
		p.n++
		b := Batch{ID: fmt.Sprint(p.n), Epoch: r.allocation(stage).Epoch, Stage: stage.Name, Arm: arm, At: at, Units: int64(n / 2),
			Samples: map[string]stats.Sample{}, Newest: map[string]time.Time{}}
		for _, key := range sorted(p.rates) {
			had := int64(0)
			for range n / 2 {
				if p.rng.Float64() < p.rates[key][side] {
					had++
				}
			}
			b.Samples[key], b.Newest[key] = stats.Proportion(b.Units, had), at
		}
		h.facts.Add(r.ID, b)
	}
}

// release is a whole release that is tormented: the same units come whatever
// happens to its controllers.
type release struct {
	*house
	pour
	minutes int // that are left
}

const minutes = 14

func newRelease(t *testing.T, seed uint64) *release {
	r := rand.New(rand.NewPCG(seed, 1))
	truth := []map[string][2]float64{harmful, harmful, harmless, better}[r.IntN(4)]
	l := &release{house: newHouse(t), pour: pour{rng: r, rates: truth}, minutes: minutes}
	l.do(Command{Op: OpPlan, Plan: ptr(catsPlan())})
	l.do(Command{Op: OpStart})
	return l
}

// minute lets units come, unless the time is over.
func (l *release) minute() bool {
	if l.minutes == 0 {
		return false
	}
	l.minutes--
	l.house.pour(&l.pour, 3000)
	return true
}

// tells returns the decisions that act, checked by the laws.
func (l *release) tells() (out []told) {
	l.t.Helper()
	if report := l.verified(); len(report.Pending) > 0 {
		l.t.Errorf("pending: %v", report.Pending)
	}
	for _, d := range l.rollout().Decisions {
		if d.Verdict.Action.Actuating() {
			out = append(out, told{Action: d.Verdict.Action, Reason: d.Verdict.Reason, From: d.From, Effect: d.Effect > 0})
		}
	}
	return out
}

// undisturbed is the release as it goes with one controller that lives.
func undisturbed(t *testing.T, seed uint64) []told {
	l := newRelease(t, seed)
	for l.step(); l.minute(); {
		l.step()
	}
	return l.tells()
}

// TestKillRounds kills the controller at random durable steps of whole releases,
// again and again; what follows is a new process that folds the log from its
// first event. No decision is made twice and none is lost: each release goes as
// it would have undisturbed.
func TestKillRounds(t *testing.T) {
	rounds, deaths, acted := often(t, "SLUICE_KILLS", 20), 0, 0
	for seed := range uint64(rounds) {
		l, r := newRelease(t, seed), rand.New(rand.NewPCG(seed, 2))
		died := 0
		for more := true; more; more = l.minute() {
			died += l.stepOfMortals(r)
		}
		got, want := l.tells(), undisturbed(t, seed)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d, after %d deaths, -undisturbed +tormented:\n%s", seed, died, diff)
		}
		deaths, acted = deaths+died, acted+len(got)
	}
	if deaths < rounds {
		t.Errorf("in %d releases only %d controllers died", rounds, deaths)
	}
	t.Logf("%d releases, %d deaths of their controllers, %d decisions that acted, none twice and none lost", rounds, deaths, acted)
}

// stepOfMortals does one step, by as many controllers as it takes.
func (l *release) stepOfMortals(r *rand.Rand) (died int) {
	for {
		p := l.part
		if died > 0 {
			p = l.open(l.log)
		}
		m := &eventtest.Mortal{Log: l.log, Blobs: l.blobs}
		if r.IntN(4) > 0 {
			m.KillAt, m.After = 1+r.IntN(4), r.IntN(2) == 0
		}
		c := l.controller(p, m)
		c.Blobs = m
		err := c.Step(l.ctx, l.now)
		if !m.Dead {
			l.must(err)
			return died
		}
		if died++; !errors.Is(err, eventtest.ErrKilled) {
			l.t.Fatalf("killed: %v", err)
		}
	}
}

// halting is what a process sees of log and documents: it folds the log only
// when it looks, and once it is stopped just before a durable step, while the
// world goes on.
type halting struct {
	event.Log
	blobs     event.Blobs
	house     *event.Projection
	left      int    // durable steps until it is stopped; negative: never
	meanwhile func() // what the world does
}

func (s *halting) halt() {
	s.left--
	if s.left == 0 {
		s.meanwhile()
	}
}

func (s *halting) Last(ctx context.Context) (uint64, error) {
	err := s.house.Catch(ctx, s.Log)
	return s.house.Seq(), err
}

func (s *halting) Append(ctx context.Context, e event.Event, expect event.Expect) (uint64, error) {
	s.halt()
	seq, err := s.Log.Append(ctx, e, expect)
	if err != nil {
		return seq, err
	}
	return seq, s.house.Catch(ctx, s.Log)
}

func (s *halting) Put(ctx context.Context, b []byte) (event.Blob, error) {
	s.halt()
	return s.blobs.Put(ctx, b)
}

func (s *halting) Load(ctx context.Context, name event.Blob) ([]byte, error) {
	return s.blobs.Load(ctx, name)
}

// TestStoppedAndResumed runs two controllers through whole releases and stops one
// of them in the middle of a step, for minutes in which the other goes on; then
// it wakes up with its old view and finishes what it was about to do.
func TestStoppedAndResumed(t *testing.T) {
	rounds, stops, acted := often(t, "SLUICE_STOPS", 15), 0, 0
	for seed := range uint64(rounds) {
		l, r := newRelease(t, seed), rand.New(rand.NewPCG(seed, 3))
		p := parts()
		s := &halting{Log: l.log, blobs: l.blobs, house: p.proj}
		s.meanwhile = func() {
			stops++
			l.step()
			for range r.IntN(6) {
				l.minute()
				l.step()
			}
			s.left = 1 + r.IntN(8)
		}
		s.left = 1 + r.IntN(8)
		zombie := l.controller(p, s)
		zombie.Blobs = s
		for more := true; more; more = l.minute() {
			l.must(zombie.Step(l.ctx, l.now))
			l.step()
		}
		got, want := l.tells(), undisturbed(t, seed)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d, -one controller +two, one of which was stopped:\n%s", seed, diff)
		}
		acted += len(got)
	}
	if stops < rounds {
		t.Errorf("in %d releases the second controller was stopped %d times", rounds, stops)
	}
	t.Logf("%d releases, a second controller stopped %d times, %d decisions that acted, none twice and none lost", rounds, stops, acted)
}
