package flags_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags"
)

func Example() {
	ctx, log, state := context.Background(), event.NewMemLog(), flags.NewState()
	flag := flags.Flag{
		Key: "checkout", Purpose: flags.KillSwitch, Owner: "payments", Type: flags.String,
		Variants: flags.Variants{"old": json.RawMessage(`"form"`), "new": json.RawMessage(`"one tap"`)}, Safe: "old",
		Environments: map[string]flags.Environment{"production": {
			Enabled: true, Rules: []flags.Rule{{Name: "staff", When: &flags.Condition{Attribute: "ring", Op: flags.Eq, Value: "staff"}, Serve: "new"}},
		}},
	}
	e, expect, err := state.Handle(flags.Command{
		ID: event.Derive("example"), Key: "checkout", Actor: "person:ana", At: time.Unix(0, 0), Expect: event.Any,
		Changes: []flags.Change{{Op: flags.Define, Flag: &flag}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := log.Append(ctx, e, expect); err != nil {
		fmt.Println(err)
		return
	}
	if err := event.NewProjection(state).Catch(ctx, log); err != nil {
		fmt.Println(err)
		return
	}
	set := state.Compile("production", nil)
	for _, ring := range []string{"staff", "public"} {
		r := set.Evaluate("checkout", &flags.Context{TargetingKey: "u-1", Attributes: map[string]any{"ring": ring}})
		fmt.Println(r.Variant, string(r.Value), r.Reason)
	}
	// Output:
	// new "one tap" TARGETING_MATCH
	// old "form" DEFAULT
}
