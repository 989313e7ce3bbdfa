package server

import (
	"fmt"
	"net/http"
	"time"

	"github.com/sluice-hq/sluice/internal/access"
)

// changeBeat is how often an open page is told at most that there is something
// new, and how soon it is told of what no event tells: a new look at a rollout.
const changeBeat = time.Second

// stamp says which state a page shows: it differs when the page would.
type stamp struct {
	seq  uint64    // of the newest event that the page may depend on
	look time.Time // the newest look at a rollout
}

// pageChanges tells an open page when there is something new: in the log, and
// of the looks at rollouts, or at the one that the query names.
func (s *server) pageChanges(w http.ResponseWriter, r *http.Request) error {
	of := r.URL.Query().Get("of")
	last, err := s.stamp(r, of)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // or nginx keeps events back
	if headOnly(r) {
		return nil
	}
	to, err := sinkOf(w, r, s.Now().Add(tailPatience))
	if err != nil {
		s.log.Debug("a page could not be told of changes", "error", err)
		return nil // nobody is there to be told
	}
	defer to.Close()
	t := &tail{server: s, to: to, listener: who(r.Context()), environment: access.AnyEnvironment}
	if err := t.watch(r, of, last); err != nil {
		s.log.Debug("a page is no longer told of changes", "error", err)
	}
	return nil
}

// watch tells of each change until the page is closed, the doors shut or its
// token no longer opens them.
func (t *tail) watch(r *http.Request, of string, last stamp) error {
	beat, alive := time.NewTicker(changeBeat), time.NewTicker(tailBeat)
	defer beat.Stop()
	defer alive.Stop()
	if err := t.write("retry: 3000\n: watching\n\n"); err != nil {
		return err
	}
	for {
		var err error
		select {
		case <-beat.C:
			var now stamp
			if now, err = t.server.stamp(r, of); err == nil && now != last {
				last, err = now, t.write(fmt.Sprintf("event: changed\ndata: %d\n\n", now.seq))
			}
		case <-alive.C:
			if !t.look() {
				return nil
			}
			err = t.write(": here\n\n")
		case <-t.server.Closing:
			return nil
		case <-t.to.ctx.Done():
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// stamp returns the state of one rollout, or of everything.
func (s *server) stamp(r *http.Request, of string) (stamp, error) {
	if of != "" {
		v, err := s.view(of)
		if err == nil && !sees(r.Context(), v.Rollout.Plan.Environment, v.Rollout.Plan.Flag) {
			err = errNoSuch
		}
		return stamp{seq: v.Rollout.Seq, look: v.lookedAt()}, err
	}
	now := stamp{seq: s.Projection.Seq()}
	if s.Looked != nil {
		now.look = s.Looked()
	}
	return now, nil
}

func (v RolloutView) lookedAt() time.Time {
	if v.Look == nil {
		return time.Time{}
	}
	return v.Look.At
}
