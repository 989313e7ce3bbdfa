package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/internal/replica"
	doors "github.com/sluice-hq/sluice/internal/server"
)

// TestReplicas has three houses on one server: after the same events they hold
// the same state, and one whose fold was tampered with takes itself out of
// readiness, while the others go on and know which one it is.
func TestReplicas(t *testing.T) {
	url := natsServer(t)
	var all []*standing
	for i := range 3 {
		c := config{Data: t.TempDir(), Nats: url, TrustSync: true, Compare: 50 * time.Millisecond, Roles: roles{doors.Flags, doors.Ingest}}
		if i > 0 {
			copyFile(t, filepath.Join(all[0].Data, "unit.key"), filepath.Join(c.Data, "unit.key"))
		}
		s := stand(t, c)
		if i > 0 {
			s.token = all[0].token
		}
		all = append(all, s)
	}
	all[0].want(200, "", "POST", "/api/v1/apply", aFlag)
	within(t, "the second has heard of it", func() bool { return all[1].projection.Seq() == all[0].projection.Seq() })
	all[1].want(200, "", "POST", "/api/v1/flags/checkout.express/disable", `{"environment":"production","comment":"a test"}`)
	within(t, "the first has heard of it", func() bool { return all[0].projection.Seq() == all[1].projection.Seq() })
	all[0].want(409, "it is already so", "POST", "/api/v1/flags/checkout.express/disable", `{"environment":"production","comment":"again"}`)
	within(t, "all agree", func() bool {
		for _, s := range all {
			if _, v, _ := s.replica.Seen(); v.Standing != replica.Agrees || len(v.Same) != 2 {
				return false
			}
		}
		return true
	})
	for _, s := range all {
		s.want(200, `"replicas agree":"ok"`, "GET", "/readyz", "")
		s.want(200, `"standing":"agrees"`, "GET", "/api/v1/replicas", "")
		if s.projection.Seq() != all[0].projection.Seq() {
			t.Errorf("%s is at %d", s.replica.Name, s.projection.Seq())
		}
		if _, err := os.Stat(filepath.Join(s.Data, "clickhouse")); err == nil {
			t.Error("a replica for flags alone has started an engine")
		}
	}

	bad := all[2]
	before := bad.projection.Seq()
	bad.projection.View(func(uint64) { tamper(t, bad.folds.Flags) })
	all[0].want(200, "", "POST", "/api/v1/flags/checkout.express/enable", `{"environment":"production","comment":"a test"}`)
	within(t, "the tampered one goes on", func() bool { return bad.projection.Seq() > before })
	within(t, "the tampered one is out", func() bool {
		answer, _ := bad.ask("GET", "/readyz?for=flags", "")
		return answer.StatusCode == http.StatusServiceUnavailable
	})
	bad.want(503, "is in another state than 2 others", "GET", "/readyz", "")
	within(t, "the others know", func() bool {
		_, a, _ := all[0].replica.Seen()
		_, b, _ := all[1].replica.Seen()
		return a.Standing == replica.Majority && b.Standing == replica.Majority && fmt.Sprint(a.Differ) == fmt.Sprint([]string{bad.replica.ID})
	})
	for _, s := range all[:2] {
		s.want(200, `"flags":"ok"`, "GET", "/readyz", "")
	}
	bad.stop()
	if left, err := filepath.Glob(filepath.Join(bad.Data, "snapshots", "*"+snapshotName)); err != nil || len(left) > 0 {
		t.Errorf("it has left snapshots of a state that is wrong: %v %v", left, err)
	}
	again := stand(t, bad.config)
	again.token = all[0].token
	within(t, "it is well when it has folded every event again", func() bool {
		_, v, _ := again.replica.Seen()
		return v.Standing == replica.Agrees
	})
	again.want(200, `"flags":"ok"`, "GET", "/readyz?for=flags", "")
}

// tamper changes the state behind the log's back, as a fault of the memory or
// of the program would.
func tamper(t *testing.T, s *flags.State) {
	t.Helper()
	text, err := jsonOf(s.Snapshot())
	if err == nil {
		err = s.Restore([]byte(strings.Replace(text, `"owner":"payments"`, `"owner":"nobody"`, 1)))
	}
	if err != nil {
		t.Fatal(err)
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
