package natslog

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/sluice-hq/sluice/event"
)

// answering returns a wire whose stream is a responder that gives the answers
// in turn, and where the IDs of what it was sent end up. An empty answer is
// none.
func answering(t *testing.T, answers ...string) (*wire, *[]string) {
	t.Helper()
	s := open(t, t.TempDir())
	var ids []string
	sub, err := s.nc.Subscribe("odd", func(m *nats.Msg) {
		ids = append(ids, m.Header.Get(nats.MsgIdHdr))
		answer := answers[min(len(ids), len(answers))-1]
		if answer != "" {
			m.Respond([]byte(answer)) // an answer that is lost fails the test
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Unsubscribe() })
	return s.wire("ODD", "message"), &ids
}

func refusal(status, code int) string {
	return fmt.Sprintf(`{"error":{"code":%d,"err_code":%d,"description":"no"}}`, status, code)
}

const stored7 = `{"stream":"ODD","seq":7}`

// TestRepeatInFlightIsTriedAgain answers as a server does that is storing a
// message with this ID just now: that is neither success nor failure.
func TestRepeatInFlightIsTriedAgain(t *testing.T) {
	w, ids := answering(t, refusal(409, codeRepeatInFlight), refusal(409, codeRepeatInFlight), stored7)
	seq, err := w.publish(t.Context(), message("odd", "id", nil))
	if seq != 7 || err != nil {
		t.Errorf("publish = %d, %v", seq, err)
	}
	if d := cmp.Diff([]string{"id", "id", "id"}, *ids); d != "" {
		t.Errorf("it was sent as (-want +got):\n%s", d)
	}
}

func TestBothConflictsAreOne(t *testing.T) {
	for _, code := range []int{codeConflict, codeConflictInFlight} {
		w, ids := answering(t, refusal(400, code))
		if _, err := w.publish(t.Context(), message("odd", "id", nil)); !errors.Is(err, event.ErrConflict) || len(*ids) != 1 {
			t.Errorf("code %d: %v after %d tries", code, err, len(*ids))
		}
	}
}

func TestARefusalIsFinal(t *testing.T) {
	w, ids := answering(t, refusal(503, 10077), stored7)
	_, err := w.publish(t.Context(), message("odd", "id", nil))
	if err == nil || errors.Is(err, event.ErrConflict) || len(*ids) != 1 {
		t.Errorf("a full stream: %v after %d tries", err, len(*ids))
	}
}

// TestSilenceIsNoAnswer gives up with its caller, who is told that the message
// may be stored.
func TestSilenceIsNoAnswer(t *testing.T) {
	w, _ := answering(t, "")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := w.publish(ctx, message("odd", "id", nil))
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "whether it was stored is unknown") {
		t.Errorf("publish = %v", err)
	}
}

// TestSilenceOfWritesTogether: a disk that stops for one write's time leaves all
// without an answer that are under way then, which is no reason to open the
// streams again.
func TestSilenceOfWritesTogether(t *testing.T) {
	w, _ := answering(t, "")
	w.wait = 250 * time.Millisecond // long enough for all to begin in
	silent := func(atOnce int) {
		var all sync.WaitGroup
		for range atOnce {
			all.Go(func() { _, _ = w.try(t.Context(), message("odd", "id", nil)) }) // no answer is what is meant
		}
		all.Wait()
	}
	if silent(8); w.unanswered.Load() >= silence {
		t.Errorf("8 writes at once count as %d one after the other", w.unanswered.Load())
	}
	for range silence {
		silent(1)
	}
	if n := w.unanswered.Load(); n < silence {
		t.Errorf("%d writes one after the other count as %d", silence, n)
	}
}

func TestJudge(t *testing.T) {
	server := func(name string, stores, sync bool) (s settings) {
		s.Server.Name = name
		if stores {
			s.Data.JetStream.Config = &struct {
				SyncAlways bool `json:"sync_always"`
			}{sync}
		}
		return s
	}
	for name, c := range map[string]struct {
		answers []settings
		want    string
	}{
		"one":            {[]settings{server("a", true, true)}, ""},
		"all":            {[]settings{server("a", true, true), server("b", false, false), server("c", true, true)}, ""},
		"one is lazy":    {[]settings{server("a", true, true), server("b", true, false)}, "server b answers before it writes"},
		"none stores":    {[]settings{server("a", false, false)}, "no server with JetStream"},
		"nobody answers": {nil, "no server with JetStream"},
	} {
		err := judge(c.answers)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}
