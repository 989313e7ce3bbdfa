package natslog

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/sluice-hq/sluice/event"
)

// elected returns a wire to a stream whose leader has message 1 and says, for
// so many answers, that it has not: one that was elected just now has yet to
// apply what it holds.
func elected(t *testing.T, behind int) *wire { return answersLate(t, behind, "404") }

// answersLate returns a wire to a stream that gives message 1 after so many
// answers of another status.
func answersLate(t *testing.T, behind int, status string) *wire {
	t.Helper()
	srv, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() { srv.Shutdown(); srv.WaitForShutdown() })
	nc, err := nats.Connect("", nats.InProcessServer(srv))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	var left atomic.Int64
	left.Store(int64(behind))
	answer := func(m *nats.Msg) {
		reply := nats.NewMsg(m.Reply)
		if status != "404" {
			left.Add(-1) // nobody asks the leader
		}
		if left.Load() > 0 {
			reply.Header.Set("Status", status)
		} else {
			reply.Header.Set("Nats-Sequence", "1")
		}
		nc.PublishMsg(reply) // an answer that is lost fails the test
		if reply.Header.Get("Status") == "" {
			end := nats.NewMsg(m.Reply)
			end.Header.Set("Status", "204")
			nc.PublishMsg(end)
		}
	}
	for subject, handle := range map[string]nats.MsgHandler{
		"$JS.API.DIRECT.GET.ODD": answer,
		"$JS.API.STREAM.MSG.GET.ODD": func(m *nats.Msg) {
			left.Add(-1)
			m.Respond([]byte(refusal(404, 10037)))
		},
	} {
		if _, err := nc.Subscribe(subject, handle); err != nil {
			t.Fatal(err)
		}
	}
	return &wire{nc: nc, stream: "ODD", what: "message", doubt: time.Minute}
}

// TestANewLeaderIsNoDamage: absence on a cluster is damage only when it lasts.
func TestANewLeaderIsNoDamage(t *testing.T) {
	page, err := elected(t, 3).read(t.Context(), 0, 10)
	if err != nil || len(page) != 1 || page[0].seq != 1 {
		t.Errorf("got %v, %v", page, err)
	}
	lasting := elected(t, 1_000_000)
	lasting.doubt = 50 * time.Millisecond
	if _, err := lasting.read(t.Context(), 0, 10); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("absence that lasts: got %v", err)
	}
	alone := elected(t, 3)
	alone.doubt = 0
	if _, err := alone.read(t.Context(), 0, 10); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("absence where there is one server: got %v", err)
	}
}

// TestWhoFollowsOutlivesAnElection: a read that fails is no end of the log.
func TestWhoFollowsOutlivesAnElection(t *testing.T) {
	l := &Log{wire: answersLate(t, 3, "503")}
	if _, err := l.read(t.Context(), 0, 10); err == nil || lasting(err) {
		t.Errorf("one read: got %v", err)
	}
	if page, err := l.insist(t.Context(), 0, 10); err != nil || len(page) != 1 {
		t.Errorf("got %v, %v", page, err)
	}
	damaged := &Log{wire: elected(t, 1_000_000)}
	damaged.doubt = 0
	if _, err := damaged.insist(t.Context(), 0, 10); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("damage: got %v", err)
	}
}
