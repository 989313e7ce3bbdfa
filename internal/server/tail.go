package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
)

// A listener gets a sign of life every tailBeat, which is also when the token is
// looked at again, and is given up when it takes nothing for tailPatience.
const (
	tailBeat     = 15 * time.Second
	tailPatience = 10 * time.Second
)

// tailEvents tells of every event that comes to this replica from now on: what
// became of it, why, and what to do.
func (s *server) tailEvents(w http.ResponseWriter, r *http.Request) error {
	if s.Tap == nil {
		return fmt.Errorf("this replica takes no events: %w", errNoSuch)
	}
	filter, err := tapFilter(r.URL.Query())
	if err != nil {
		return err
	}
	filter.Environment = environment(r, who(r.Context()))
	if _, err := s.sets.at(filter.Environment); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // or nginx keeps events back
	if headOnly(r) {
		return nil
	}
	l, err := s.Tap.Listen(filter)
	if err != nil {
		return err
	}
	defer l.Close()
	to, err := sinkOf(w, r, s.Now().Add(tailPatience))
	if err != nil {
		s.log.Debug("a tail could not begin", "error", err)
		return nil // nobody is there to be told
	}
	defer to.Close()
	t := &tail{server: s, to: to, listener: who(r.Context()), environment: filter.Environment}
	if err := t.copy(l); err != nil {
		s.log.Debug("a tail ended", "error", err)
	}
	return nil
}

// tapFilter reads what is asked for, and says all that cannot be.
func tapFilter(query url.Values) (f ingest.TapFilter, err error) {
	var faults event.Invalids
	f.Verdict, f.Kind, f.Name = ingest.Verdict(query.Get("verdict")), query.Get("kind"), query.Get("name")
	if f.Verdict != "" && !slices.Contains(ingest.Verdicts, f.Verdict) {
		faults.Add("verdict", string(f.Verdict), "is no verdict", "write accepted, dead, rejected or refused")
	}
	if f.Kind != "" && !slices.Contains(ingest.Kinds, f.Kind) {
		faults.Add("kind", f.Kind, "is not a kind of event", "write exposure, metric, deployment or reading")
	}
	if unit := query.Get("unit"); unit != "" {
		var ok bool
		if f.Unit.Kind, f.Unit.ID, ok = strings.Cut(unit, "="); !ok || f.Unit.Kind == "" || f.Unit.ID == "" {
			faults.Add("unit", unit, "is not a unit", "write its kind and its id, such as user=u-1")
		}
	}
	switch recent := query.Get("recent"); recent {
	case "", "false":
	case "true":
		f.Recent = true
	default:
		faults.Add("recent", recent, "is neither true nor false", "")
	}
	return f, faults.Err()
}

// tail is somebody who listens to events.
type tail struct {
	server      *server
	to          sink
	listener    access.Principal
	environment string
}

// copy writes what is heard until the listener goes, the doors shut or its token
// no longer opens them.
func (t *tail) copy(l *ingest.Listener) error {
	beat := time.NewTicker(tailBeat)
	defer beat.Stop()
	if err := t.write(": listening\n\n"); err != nil {
		return err
	}
	for {
		var err error
		select {
		case h := <-l.C:
			err = t.tell(h)
		case <-beat.C:
			if !t.look() {
				return nil
			}
			err = t.write(": here\n\n")
		case <-t.server.Closing:
			return nil
		case <-t.to.ctx.Done():
			return nil
		}
		if missed := l.Missed(); err == nil && missed > 0 {
			err = t.write(fmt.Sprintf("event: missed\ndata: {\"events\":%d}\n\n", missed))
		}
		if err != nil {
			return err
		}
	}
}

// hears reports whether somebody may read an event: what is about its flag. A
// token that is bound to keys sees nothing of what has no flag.
func hears(p access.Principal, environment string, h ingest.Heard) bool {
	if h.Kind == ingest.KindExposure {
		return p.Sees(environment, h.Name)
	}
	return p.Sees(environment, access.AnyKey)
}

// tell writes one event, if its listener may read it.
func (t *tail) tell(h ingest.Heard) error {
	if !hears(t.listener, t.environment, h) {
		return nil
	}
	data, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("encoding an event: %w", err)
	}
	return t.write("event: heard\ndata: " + string(data) + "\n\n")
}

// look finds out who has the token now, and whether he may still listen.
func (t *tail) look() (may bool) {
	s := t.server
	s.Projection.View(func(uint64) { t.listener, may = s.Access.Holder(t.listener.Token, s.Now()) })
	return may && t.listener.May(access.Read, t.environment, access.AnyKey)
}

func (t *tail) write(text string) error {
	if err := t.to.SetWriteDeadline(t.server.Now().Add(tailPatience)); err != nil {
		return fmt.Errorf("setting the deadline of a tail: %w", err)
	}
	_, err := t.to.Write([]byte(text))
	return err
}
