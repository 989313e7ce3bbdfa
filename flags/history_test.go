package flags

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

// recorded returns the events of a flag.
func (h *house) recorded(key string) []event.Recorded {
	h.t.Helper()
	var out []event.Recorded
	for r, err := range h.log.Read(context.Background(), event.Filter{Subjects: []string{SubjectPrefix + key}}, 0) {
		if err != nil {
			h.t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// told writes a history as lines: revision, actor, comment and differences.
func told(entries []Entry) string {
	var b strings.Builder
	for _, e := range entries {
		fmt.Fprintf(&b, "%d %s %s\n", e.Revision, e.Actor, e.Comment)
		for _, d := range e.Differences {
			fmt.Fprintf(&b, "  %s\n", d)
		}
	}
	return b.String()
}

// twoEnvironments is checkout with a staging environment beside production.
func twoEnvironments() Flag {
	f := checkout()
	f.Environments["staging"] = Environment{}
	return f
}

func TestHistory(t *testing.T) {
	h := newHouse(t)
	h.define(twoEnvironments())
	h.do("checkout.express", in(Disable))
	h.do("checkout.express", Change{Op: Enable, Environment: "staging"})
	h.do("checkout.express", define(func(f *Flag) {
		f.Owner, f.Environments["staging"] = "shop", Environment{}
	}))
	h.do("checkout.express", Change{Op: Adopt, Name: "shop-flags"})
	h.do("checkout.express", Change{Op: Archive})
	h.do("checkout.express", Change{Op: Archive, Variant: "on"})
	h.do("checkout.express", Change{Op: Restore})
	all, err := History(h.recorded("checkout.express"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `1 person:ana test
  flag checkout.express created
2 person:ana test
  production: disabled
3 person:ana test
  staging: enabled
4 person:ana test
  owner is now shop (was payments)
  production: enabled
  staging: disabled
5 person:ana test
  kept by the files of set shop-flags
6 person:ana test
  archived: everybody gets off
7 person:ana test
  archived: everybody now gets on (was off)
8 person:ana test
  restored
`
	if diff := cmp.Diff(want, told(all)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if last := all[7]; last.Type != EventType || last.ID == (event.ID{}) || last.At.IsZero() || len(last.Changes) != 1 || last.Changes[0].Op != Restore {
		t.Errorf("got %+v", last)
	}
}

// Whoever sees one environment learns nothing of the others: no rule, no
// switch, and not even that there was a change.
func TestHistory_ofOneEnvironment(t *testing.T) {
	h := newHouse(t)
	h.define(twoEnvironments())
	h.do("checkout.express", in(Disable), Change{Op: Enable, Environment: "staging"})
	h.do("checkout.express", force("slow"))
	staging, err := History(h.recorded("checkout.express"), []string{"staging"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := told(staging), "1 person:ana test\n  flag checkout.express created\n2 person:ana test\n  staging: enabled\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if _, has := staging[0].Changes[0].Flag.Environments[production]; has || len(staging[1].Changes) != 1 {
		t.Errorf("got %+v", staging)
	}
	if f, _ := h.state.Flag("checkout.express"); len(f.Environments) != 2 {
		t.Error("looking at one environment has taken the other away")
	}
}

// What waits in another environment, and what becomes of it, is nobody else's
// business either.
func TestHistory_ofWhatWaits(t *testing.T) {
	h := newHouse(t)
	h.define(twoEnvironments())
	secret := h.command("checkout.express", in(Disable))
	secret.Comment = "a secret of production"
	for _, c := range []Command{secret, h.command("checkout.express", owner("web"))} {
		id := h.must(h.state.Schedule(c, later(2)))
		h.must(h.state.Cancel(h.command("checkout.express"), id))
	}
	for _, c := range []struct {
		environments []string
		want         string
	}{
		{nil, "flag.changed flag.scheduled flag.schedule.cancelled flag.scheduled flag.schedule.cancelled"},
		{[]string{"staging"}, "flag.changed flag.scheduled flag.schedule.cancelled"},
	} {
		entries, err := History(h.recorded("checkout.express"), c.environments)
		if err != nil {
			t.Fatal(err)
		}
		var types []string
		for _, e := range entries {
			types = append(types, e.Type)
			if c.environments != nil && e.Comment == secret.Comment {
				t.Errorf("staging is told %+v", e)
			}
		}
		if got := strings.Join(types, " "); got != c.want {
			t.Errorf("%v: got %s, want %s", c.environments, got, c.want)
		}
	}
}

func TestHistory_ofADamagedLog(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	list := h.recorded("checkout.express")
	list[0].Data = []byte(`{"changes":[{"op":"explode"}]}`)
	if _, err := History(list, nil); err == nil || !strings.Contains(err.Error(), "telling the history of checkout.express") {
		t.Errorf("got %v", err)
	}
}
