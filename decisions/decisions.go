// Package decisions carries a release plan out: it holds the plans (stages,
// metrics, gates), the state of every rollout, the pure function that turns
// evidence into a verdict, and the controller that records verdicts and acts
// on them. It never counts anything itself (evidence comes through Facts, the
// statistics from package stats), and it never changes a flag that a recorded
// decision did not ask for.
//
// A verdict is a function of what the record holds, and of nothing else:
//
//	verdict, err := decisions.Evaluate(decisions.Input{
//		Rules: decisions.Rules, Plan: plan, State: rollout, Evidence: evidence, Now: now,
//	})
//	// verdict.Action is Hold, Expand, Pause, Rollback, Ship, Review or Cleanup;
//	// verdict.Text says why, verdict.Checks is the whole gate in order.
//
// The controller acts only on decisions that it reads back from the log, so
// that two controllers, a crash between any two steps or a clock that jumps do
// everything once:
//
//	c := decisions.Controller{Log: log, Blobs: blobs, House: house, Flags: flags, State: state, Facts: facts}
//	err := c.Step(ctx, now) // one pass over the running rollouts
//
// Years later, Verify recomputes every decision from its record alone.
package decisions

// Source is what events of this room name as their source.
const Source = "sluice/decisions"

// Controlling is the actor of events that no person caused.
const Controlling = "controller"
