package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/replica"
	doors "github.com/sluice-hq/sluice/internal/server"
)

// replicaOf stands another house on a server, with the key of the first.
func replicaOf(t *testing.T, url string, first *standing, change ...func(*house)) *standing {
	t.Helper()
	c := config{Data: t.TempDir(), Nats: url, TrustSync: true, Compare: 50 * time.Millisecond, Roles: roles{doors.Flags, doors.Ingest}}
	if first == nil {
		return stand(t, c)
	}
	copyFile(t, filepath.Join(first.Data, "unit.key"), filepath.Join(c.Data, "unit.key"))
	s := stand(t, c, change...)
	s.token = first.token
	return s
}

// stands waits until a replica stands so among so many others.
func (s *standing) stands(how replica.Standing, same, differ int) {
	s.t.Helper()
	within(s.t, fmt.Sprintf("%s stands %s with %d against %d", s.replica.Name, how, same, differ), func() bool {
		_, v, _ := s.replica.Seen()
		return v.Standing == how && len(v.Same) == same && len(v.Differ) == differ
	})
}

// TestReplicas has houses on one server: after the same events they hold the
// same state. One whose fold was tampered with takes itself out of readiness,
// and all know which one it is.
func TestReplicas(t *testing.T) {
	url := natsServer(t)
	a := replicaOf(t, url, nil)
	b := replicaOf(t, url, a)
	a.want(200, "", "POST", "/api/v1/apply", aFlag)
	within(t, "the second has heard of it", func() bool { return b.projection.Seq() == a.projection.Seq() })
	b.want(200, "", "POST", "/api/v1/flags/checkout.express/disable", `{"environment":"production","comment":"a test"}`)
	for _, s := range []*standing{a, b} {
		s.stands(replica.Agrees, 1, 0)
		s.want(200, `"replicas agree":"ok"`, "GET", "/readyz", "")
		s.want(200, `"standing":"agrees"`, "GET", "/api/v1/replicas", "")
		if _, err := os.Stat(filepath.Join(s.Data, "clickhouse")); err == nil {
			t.Error("a replica for flags alone has started an engine")
		}
	}

	bad := replicaOf(t, url, a, func(h *house) { h.folds.Seals.Made = h.folds.Seals.Made.Add(time.Hour) })
	bad.stands(replica.Minority, 0, 2)
	bad.want(503, "in another state than 2 others", "GET", "/readyz?for=flags", "")
	a.stands(replica.Majority, 1, 1)
	b.stands(replica.Majority, 1, 1)
	if _, v, _ := a.replica.Seen(); v.Differ[0] != bad.replica.ID {
		t.Errorf("it is said to be %v", v.Differ)
	}
	a.want(200, `"flags":"ok"`, "GET", "/readyz", "")
	bad.stop()
	if left, err := filepath.Glob(filepath.Join(bad.Data, "snapshots", "*"+snapshotName)); err != nil || len(left) > 0 {
		t.Errorf("it has left snapshots of a state that is wrong: %v %v", left, err)
	}
	b.stop()
	again := stand(t, bad.config)
	again.token = a.token
	again.stands(replica.Agrees, 1, 0)
	again.want(200, `"flags":"ok"`, "GET", "/readyz?for=flags", "")
}

// TestTwoReplicasThatDiffer: nobody can tell who is wrong, and both say so.
func TestTwoReplicasThatDiffer(t *testing.T) {
	url := natsServer(t)
	a := replicaOf(t, url, nil)
	bad := replicaOf(t, url, a, func(h *house) { h.folds.Seals.Made = h.folds.Seals.Made.Add(time.Hour) })
	for _, s := range []*standing{a, bad} {
		s.stands(replica.Tied, 0, 1)
		s.want(503, "nobody can tell which is right", "GET", "/readyz", "")
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
