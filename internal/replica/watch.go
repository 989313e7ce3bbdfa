package replica

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Watch keeps one replica's report on the board and judges it against the
// others. ID, Code, Log, Projection and Board are required. Step is for one
// goroutine; the other methods may be called from any.
type Watch struct {
	ID         string            // of this process
	Name       string            // where it runs, for people
	Code       string            // of the program
	Log        event.Log         //
	Projection *event.Projection // of Log
	Board      Board
	Streams    func() map[uint64]int // connected clients by the revision that they hold; nil: there are none
	Patience   time.Duration         // how long an event of the log may wait to be applied; zero: 10 s
	Logger     *slog.Logger          // nil: silent

	mu      sync.Mutex
	own     Report
	all     []Report // of all replicas, this one too, by name and ID
	verdict Verdict
	behind  string // why it lags; empty: it does not
	goal    goal
}

// goal is the end of the log at one time.
type goal struct {
	seq uint64
	at  time.Time
}

// keep is the number of checkpoints that a report names: replicas that are not
// at the same place still have one in common.
const keep = 8

// Step renews the report, reads the others' and judges. What could not be
// asked leaves the judgement as it was: a log or a board that cannot be reached
// says nothing against this replica.
func (w *Watch) Step(ctx context.Context, now time.Time) error {
	if err := w.renew(now); err != nil {
		return err
	}
	if last, err := w.Log.Last(ctx); err == nil {
		w.pursue(last, now)
	}
	own := w.Own()
	value, err := json.Marshal(own)
	if err != nil {
		return fmt.Errorf("encoding a report: %w", err)
	}
	if err := w.Board.Put(ctx, w.ID, value); err != nil {
		return err
	}
	all, err := w.Board.All(ctx)
	if err != nil {
		return err
	}
	w.judge(own, all)
	return nil
}

// Leave takes back what this replica has said, so that the one that is started
// in its place is not compared with it.
func (w *Watch) Leave(ctx context.Context) error { return w.Board.Put(ctx, w.ID, nil) }

// renew brings the report up to date. A state is hashed at checkpoints, and at
// the end of the log when nothing has come since the last Step: while much is
// written, nobody waits for hashes that no other replica has.
func (w *Watch) renew(now time.Time) error {
	seq := w.Projection.Seq()
	w.mu.Lock()
	own, still := w.own, w.own.Seq == seq && !w.own.At.IsZero()
	w.mu.Unlock()
	marks := slices.Clone(own.Marks)
	if m, ok, err := w.Projection.Checkpoint(); err != nil {
		return err
	} else if ok {
		marks = with(marks, m)
	}
	if _, known := own.state(seq); still && !known {
		m, err := w.Projection.Mark()
		if err != nil {
			return err
		}
		marks = with(marks, m)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.own.At.IsZero() {
		w.own = Report{ID: w.ID, Name: w.Name, Code: w.Code, Started: now}
	}
	if w.own.Since.IsZero() || !still {
		w.own.Since = now
	}
	w.own.Seq, w.own.At, w.own.Marks, w.own.Out = seq, now, marks, w.reason()
	if w.Streams != nil {
		w.own.Streams = w.Streams()
	}
	return nil
}

// with returns the newest marks in order, a new one among them.
func with(marks []event.Mark, m event.Mark) []event.Mark {
	marks = slices.DeleteFunc(marks, func(o event.Mark) bool { return o.Seq == m.Seq })
	marks = append(marks, m)
	slices.SortFunc(marks, func(a, b event.Mark) int { return int(a.Seq) - int(b.Seq) })
	return marks[max(0, len(marks)-keep):]
}

// pursue notes for how long an event has been in the log and not here.
func (w *Watch) pursue(last uint64, now time.Time) {
	seq := w.Projection.Seq()
	w.mu.Lock()
	defer w.mu.Unlock()
	if seq >= w.goal.seq {
		w.goal, w.behind = goal{last, now}, ""
		return
	}
	if late := now.Sub(w.goal.at); late > w.patience() {
		w.behind = fmt.Sprintf("event %d has been in the log for %s, and this replica is at event %d", w.goal.seq, late.Round(time.Second), seq)
	}
}

func (w *Watch) patience() time.Duration {
	if w.Patience > 0 {
		return w.Patience
	}
	return 10 * time.Second
}

func (w *Watch) judge(own Report, values map[string][]byte) {
	var all []Report
	for name, value := range values {
		var r Report
		if err := json.Unmarshal(value, &r); err == nil && r.ID == name { // else it has left, or is another version's
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b Report) int { return strings.Compare(a.Name+"\x00"+a.ID, b.Name+"\x00"+b.ID) })
	v := Judge(own, all)
	w.mu.Lock()
	was := w.verdict
	w.all, w.verdict = all, v
	w.mu.Unlock()
	w.tell(was, v)
}

// tell logs what has changed, once.
func (w *Watch) tell(was, v Verdict) {
	if w.Logger == nil || was.Standing == v.Standing || len(v.Differ)+len(was.Differ) == 0 {
		return
	}
	if len(v.Differ) > 0 {
		w.Logger.Error("replicas are in different states after the same events", "standing", v.Standing, "event", v.Seq, "same", v.Same, "differ", v.Differ)
		return
	}
	w.Logger.Info("replicas are in the same state again", "event", v.Seq)
}

// Own returns the report as it was last made.
func (w *Watch) Own() Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.own
}

// Seen returns this replica's ID, how it stands, and every report on the board.
func (w *Watch) Seen() (id string, v Verdict, all []Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ID, w.verdict, slices.Clone(w.all)
}

// Ready says what of this replica's state is not as it must be, by name; nil
// where all is well.
func (w *Watch) Ready() map[string]error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return map[string]error{"up to date": asError(w.behind), "replicas agree": asError(w.disagrees())}
}

// reason says why this replica is out. w.mu is held.
func (w *Watch) reason() string {
	if w.behind != "" {
		return w.behind
	}
	return w.disagrees()
}

func (w *Watch) disagrees() string {
	switch v := w.verdict; v.Standing {
	case Minority:
		return fmt.Sprintf("at event %d this replica is in another state than %d others, which agree; restart it", v.Seq, len(v.Differ))
	case Tied:
		return fmt.Sprintf("at event %d this replica and %s are in different states, and nobody can tell which is right; restart both", v.Seq, strings.Join(v.Differ, ", "))
	}
	return ""
}

func asError(text string) error {
	if text == "" {
		return nil
	}
	return fmt.Errorf("%s", text)
}
