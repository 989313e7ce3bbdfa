package stream

import (
	"fmt"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

// BenchmarkStep is what one change costs the hub, whatever the number of those
// who listen, with ten thousand flags and listeners in three environments.
func BenchmarkStep(b *testing.B) {
	state := flags.NewState()
	hub := &Hub{Projection: event.NewProjection(state), Flags: state, Now: time.Now}
	var seq uint64
	apply := func(key string, c flags.Change) {
		e, _, err := state.Handle(flags.Command{ID: event.New(), Key: key, Expect: event.Any, At: time.Now(), Actor: "ana", Comment: "test", Changes: []flags.Change{c}})
		if err != nil {
			b.Fatal(err)
		}
		seq++
		if err := state.Apply(event.Recorded{Event: e, Seq: seq}); err != nil {
			b.Fatal(err)
		}
	}
	for i := range 10000 {
		f := flag(fmt.Sprintf("team.service.flag-%d", i))
		apply(f.Key, flags.Change{Op: flags.Define, Flag: &f})
	}
	for _, e := range []string{"production", "staging", "development"} {
		if _, err := hub.Open(Request{ID: e, Environment: e, Notices: true}); err != nil {
			b.Fatal(err)
		}
	}
	ops := []flags.Op{flags.Disable, flags.Enable}
	for i := 0; b.Loop(); i++ {
		apply("team.service.flag-77", flags.Change{Op: ops[i%2], Environment: "production"})
		hub.Step(time.Now())
	}
}
