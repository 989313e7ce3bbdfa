package server

import (
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/flagd"
)

// table is every way into the house and the permission it needs.
var table = []route{
	{"POST", "/ofrep/v1/evaluate/flags/{key}", access.Evaluate, ofCaller, "evaluate-flag", "Evaluate one flag (OFREP)", plain((*server).evaluateFlag)},
	{"POST", "/ofrep/v1/evaluate/flags", access.Evaluate, ofCaller, "evaluate-flags", "Evaluate all flags (OFREP)", plain((*server).evaluateFlags)},
	{"POST", "/ofrep/v1/evaluate/flags/", access.Evaluate, ofCaller, "evaluate-flags-slash", "Evaluate all flags (OFREP)", plain((*server).evaluateFlags)},
	{"GET", "/ofrep/v1/stream", access.Evaluate, ofCaller, "stream-notices", "When to evaluate again (OFREP, server-sent events); a bulk answer names it, with a ticket instead of a token", plain((*server).streamNotices)},
	{"POST", flagd.EvaluationV1 + "{method}", access.Evaluate, bySelector, "flagd-evaluation-v1", "Evaluate flags (flagd.evaluation.v1: gRPC, gRPC-Web, Connect)", plain((*server).serveFlagd)},
	{"POST", flagd.EvaluationV2 + "{method}", access.Evaluate, bySelector, "flagd-evaluation-v2", "Evaluate flags (flagd.evaluation.v2)", plain((*server).serveFlagd)},
	{"POST", flagd.SchemaV1 + "{method}", access.Evaluate, bySelector, "flagd-schema-v1", "Evaluate flags (schema.v1, as older providers do)", plain((*server).serveFlagd)},
	{"POST", flagd.SyncV1 + "{method}", access.Sync, bySelector, "flagd-sync-v1", "All flags of an environment and each change (flagd.sync.v1)", plain((*server).serveFlagd)},
	{"POST", "/v1/events", access.Send, ofCaller, "send-events", "Send exposures and metric events", plain((*server).takeEvents)},

	{"POST", "/api/v1/apply", access.Write, inBody, "apply", "Create or change what the documents describe", typed((*server).apply)},
	{"GET", "/api/v1/flags", access.Read, whole, "list-flags", "All flags", typed((*server).listFlags)},
	{"GET", "/api/v1/flags/{key}", access.Read, whole, "get-flag", "One flag", typed((*server).readFlag)},
	{"GET", "/api/v1/flags/{key}/history", access.Read, whole, "flag-history", "Who changed a flag, why, and what that made different; newest first", typed((*server).flagHistory)},
	{"GET", "/api/v1/flags/{key}/explain", access.Read, ofCaller, "explain-flag", "Evaluate a flag, now or as it was, and say why; attributes as attribute.plan=pro, values as JSON or text", typed((*server).explainFlag)},
	{"PATCH", "/v1/flags/{key}/rollout", access.Decide, inBody, "ramp-flag", "Give a share of the units a variant, without a plan", typed((*server).rampFlag)},
	{"POST", "/api/v1/flags/{key}/{op}", access.Decide, inBody, "switch-flag", "Enable, disable, force, unforce, archive or restore a flag", typed((*server).switchFlag)},
	{"GET", "/debug/flags/{key}", access.Read, ofCaller, "debug-flag", "What a unit gets for one flag, and how far this replica is", plain((*server).debugFlag)},
	{"GET", "/api/v1/stream", access.Sync, ofCaller, "stream-rulesets", "The rules of an environment and every change of them (server-sent events)", plain((*server).streamRulesets)},
	{"POST", "/api/v1/stream/{id}/ack", access.Sync, ofCaller, "acknowledge-revision", "Say which revision an SDK holds", typed((*server).acknowledge)},
	{"GET", "/api/v1/streams", access.Read, whole, "list-streams", "Which revision the streams of this replica are at", typed((*server).listStreams)},
	{"GET", "/api/v1/metrics", access.Read, whole, "list-metrics", "All declared metrics", typed((*server).listMetrics)},
	{"GET", "/api/v1/rollouts", access.Read, whole, "list-rollouts", "All rollouts and the newest look at each", typed((*server).listRollouts)},
	{"GET", "/api/v1/rollouts/{environment}/{flag}/{number}", access.Read, inPath, "get-rollout", "One rollout and the newest look at it", typed((*server).getRollout)},
	{"POST", "/api/v1/rollouts/{environment}/{flag}/{number}/{op}", access.Decide, inPath, "command-rollout", "Start, hold, resume, approve, advance, roll back or explain", typed((*server).commandRollout)},
	{"GET", "/api/v1/readouts/{environment}/{flag}/{number}", access.Read, inPath, "get-readout", "What the data say of a rollout now", typed((*server).getReadout)},
	{"GET", "/api/v1/decisions", access.Read, whole, "list-decisions", "Decisions, newest first", typed((*server).listDecisions)},
	{"GET", "/api/v1/decisions/{id}", access.Read, whole, "get-decision", "One decision with all it rests on", typed((*server).getDecision)},
	{"GET", "/api/v1/facts", access.Read, whole, "get-facts", "How far the facts are", typed((*server).getFacts)},
	{"GET", "/api/v1/dlq", access.Read, whole, "list-dead-letters", "Events that cannot be counted, and why", typed((*server).listLetters)},
	{"POST", "/api/v1/stats/{command}", access.Read, whole, "calculate", "The calculator: compare, guardrail, events, srm", plain((*server).calculate)},
	{"GET", "/api/v1/verify", access.Read, whole, "verify", "Check the log and the four laws", typed((*server).verify)},
	{"GET", "/api/v1/replicas", access.Read, whole, "list-replicas", "Which replicas there are, which event each has applied, and whether they agree", typed((*server).listReplicas)},
	{"GET", "/api/v1/audit", access.Manage, whole, "audit", "The control log with its hashes, as JSON lines", plain((*server).audit)},
	{"GET", "/api/v1/tokens", access.Manage, whole, "list-tokens", "All valid tokens, without their text", typed((*server).listTokens)},
	{"POST", "/api/v1/tokens", access.Manage, whole, "issue-token", "Make a token", typed((*server).issueToken)},
	{"POST", "/api/v1/tokens/{id}/rotate", access.Manage, whole, "rotate-token", "Put a new token in the place of one", typed((*server).rotateToken)},
	{"DELETE", "/api/v1/tokens/{id}", access.Manage, whole, "revoke-token", "End a token", typed((*server).revokeToken)},
	{"GET", "/api/v1/people", access.Read, whole, "list-people", "All declared people", typed((*server).listPeople)},
	{"DELETE", "/api/v1/people/{person}", access.Manage, whole, "remove-person", "End a person and its tokens", typed((*server).removePerson)},
	{"GET", "/api/v1/teams", access.Read, whole, "list-teams", "All declared teams", typed((*server).listTeams)},
	{"DELETE", "/api/v1/teams/{team}", access.Manage, whole, "remove-team", "End a team and its tokens", typed((*server).removeTeam)},

	{"GET", "/healthz", access.Public, whole, "healthz", "The process answers", plain((*server).healthz)},
	{"GET", "/readyz", access.Public, whole, "readyz", "Every dependency is well, or why not", plain((*server).readyz)},

	{"GET", "/", access.Read, whole, "home", "Page: the rollouts", plain((*server).homePage)},
	{"GET", "/rollouts/{environment}/{flag}/{number}", access.Read, inPath, "rollout-page", "Page: one rollout", plain((*server).rolloutPage)},
	{"GET", "/decisions/{id}", access.Read, whole, "decision-page", "Page: one decision", plain((*server).decisionPage)},
	{"GET", "/sign-in", access.Public, whole, "sign-in-page", "Page: sign in", plain((*server).signInPage)},
	{"POST", "/sign-in", access.Public, whole, "sign-in", "Sign in with a token", plain((*server).signIn)},
	{"POST", "/sign-out", access.Public, whole, "sign-out", "Sign out", plain((*server).signOut)},
	{"GET", "/assets/{name}", access.Public, whole, "assets", "Style sheet and scripts", plain((*server).asset)},
}
