# Ana opens the link of a colleague and signs in with her token.

open /flags
says Token
write Token: {token}
press Sign in
says Flags

# She makes a flag, looks at what that means, and creates it.

follow New flag
write Key: {flag}
write What it switches: One-tap payment on the checkout page
write Owner: shop-team
write Unit: user
write In {environment}: enabled
press Preview
says Whom it reaches
write Why: Paying takes too many steps
press Create
says Created.

# A metric is declared as a document, which is checked while she writes.

follow Metrics
unfold Declare a metric
write Document:
  apiVersion: sluice/v1
  kind: Metric
  key: {metric}
  description: People whose payment fails
  owner: shop-team
  event: {metric}
  aggregate: failures
  direction: decrease
  window: 1d
with scripts comes This would be refused
write Document:
  apiVersion: sluice/v1
  kind: Metric
  key: {metric}
  description: People whose payment fails
  owner: shop-team
  event: {metric}
  aggregate: events
  direction: decrease
  window: 1d
with scripts comes This can be saved
press Save
says Metric {metric}: saved

# The shop's program sends its first events. One is of a name that no metric has,
# and the debugger says so.

open /events?environment={environment}
with scripts comes Listening.
event {metric}_typo
comes {metric}_typo
visitors 50: 2 % of control and 2 % of treatment fail
with scripts comes accepted

# The plan: a quarter of the visitors first, then somebody has to agree, then half.

follow Flags
follow {flag}
follow Plan one
says New plan
write Environment: {environment}
write Hypothesis: Nobody who pays with one tap gives up
write Template: none
write Control: off
write Treatment: on
write Name, stages 1: canary
write Kind, stages 1: ramp
write Share, stages 1: a quarter
with scripts comes "a quarter" is not a percentage
write Share, stages 1: 25%
without scripts press Check
write Name, stages 2: half
write Kind, stages 2: ramp
write Share, stages 2: 50%
write At least, stages 2: 24h
write Metric, guardrails 1: {metric}
write Tolerated, guardrails 1: 0%
without scripts press Check
write Units of each arm, gates 1: 40
write Approvals, gates 1: 1
without scripts press Check
holds The plan as YAML: approve: 1
comes It would be taken as it stands

# The YAML beside the form says the same, and can be written instead of it.

write The plan as YAML:
  apiVersion: sluice/v1
  kind: Rollout
  flag: {flag}
  environment: {environment}
  owner: shop-team
  unit: user
  hypothesis: Nobody who pays with one tap gives up
  arms: {control: off, treatment: on}
  metrics:
    guardrails: [{metric: {metric}, margin: 0%}]
  stages:
    - {name: canary, treatment: 25%, minUnits: 40, approve: 1}
    - {name: half, treatment: 50%, minWindow: 24h}
  rollback: {to: safe}
  cleanup: {due: 30d, endState: remove}
without scripts press Check
comes It would be taken as it stands
press Save and start…
says What it would change
write Why: The old form loses people
press Save and start
says The plan is created.
comes 25 % of units get on
comes The flag answers by the rollout

# People come. The page counts them, and when the canary has seen enough it asks for
# somebody who agrees. Who wrote the plan does not count: Ben does it.

visitors 250: 2 % of control and 2 % of treatment fail
comes Waits for approval: 0 of 1
press Sign out
write Token: {colleague}
press Sign in
follow {flag}
follow Approve
says What it does
write Why: Nothing is lost so far
press Approve
says Approve: done.
comes 50 % of units get on
comes half asks for at least 1d
press Sign out
open /rollouts/{environment}/{flag}/1
write Token: {token}
press Sign in

# Half of the visitors get it, and one payment in five fails.

visitors 200: 1 % of control and 30 % of treatment fail
comes It was rolled back, and waits for an explanation.
says nobody gets on

# She says what happened, and reads on what it was decided.

follow Explain
says What it does
write Why: The second tap is lost on old phones
press Explain
says Explain: done.
follow the first record
says : rollback
says treated and
follow Recompute now
says From the record alone
says to the last bit
says The chain of hashes is whole
unfold Record the outcome
write What happened: One payment in three failed on old phones
write Is the hypothesis confirmed?: no
write Why it came out so: Their browsers drop the second tap
press Record the outcome
says The outcome is recorded.

# The flag ends as the plan says, and goes.

follow Cleanup
follow {flag}
says What speaks against it
press See what it does
write Why: Old phones stay for years
press End it
says The end is carried out
follow Flags
follow {flag}
follow Archive
write Reason to archive it in any case: The shop has asked for it until just now
press Look again
write Why: No code asks for it any more
press Archive
says Archive: done.
says archived
open /cleanup?environment={environment}
comes archived by controller
follow {flag}
says archived by controller
