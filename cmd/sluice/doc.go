/*
Sluice releases risky changes on evidence. This is the tour of the house, from
the cellar up; read it once, then the package comment of the room you are going
to work in.

# What happens here

A team puts a change behind a flag and writes a plan: stages, metrics, what may
not get worse. People and programs change flags by commands; every command is
an event in one log. SDKs ask which variant a unit gets and send what happened
to it. A controller looks at the numbers, says what it thinks of them, records
that, and only then acts on the flag.

	commands                                   exposures, metrics
	   │                                              │
	   ▼                                              ▼
	 flags ──► CONTROL log ──► every replica       ingest ──► FACTS streams
	             ▲       (folded into state)                      │ loader
	             │                                                ▼
	         decisions ◄── verdict ◄── gate ◄── stats ◄──── ClickHouse
	             └──────► dashboards

# The way of one flag change

 1. POST /api/v1/apply brings a YAML document to internal/server, which finds
    the route's permission in its table (internal/access), takes what it costs
    from whoever asks (internal/limit) and decodes the document with
    internal/manifest. A change of one step comes by PATCH; one that waits for
    its time or for others is in the log until then.
 2. flags.State.Handle checks it against the flag as it is and returns one
    event.Event with the sequence it expects. Policies are asked here.
 3. event.Log.Append, made by internal/natslog, links the event to the last one
    of its aggregate and returns when it is on disk. A conflict is told apart
    from a repeat.
 4. event.Projection, on every replica, checks the link and applies the event
    to all folds: flags, metrics, rollouts, tokens, seals. internal/replica
    compares what the replicas hold then.
 5. The next evaluation compiles a flags.Set and answers from it: over OFREP,
    or flagd's protocols (internal/flagd). What it answers is counted.
 6. internal/stream wakes up with the projection, encodes what has changed once,
    and writes it to every SDK that listens. They say which revision they hold.
 7. A second reader of the log fills control_events in ClickHouse.

# The way of one exposure

 1. POST /v1/events brings it to ingest.Intake (or an address of another program,
    whose shape ingest/shapes reads): inflate, then Door (validate,
    hash the unit's id, look up rollout, stage, epoch and arm in the history of
    the flag at the revision that the sender names).
 2. ingest.Packer puts the events of many requests into one message of a FACTS
    stream. The 202 is sent when that message is on disk.
 3. ingest.Loader writes what it intends, inserts, reads back, and moves on.
    What cannot be stored stands in the dead letters, with the reason, until
    somebody has it sent again or purged (ingest.Orders, in the log).
    ingest.Ledger compares what was acknowledged with what is stored, all the
    time, and ingest.Sweeper gives back the room of what balances.
 4. warehouse.Keeper adds it to the totals of its unit, from which a readout
    counts: one row per unit in the statistics of its stage, its epoch and its
    arm. What no totals are kept of is counted from raw events.
 5. stats turns the counts into intervals and e-values, decisions.Evaluate turns
    those into a Verdict, and decisions.Controller records it with all it rests
    on before it touches the flag.

# The rooms

event holds the envelope, the contract of the log, the hash chain and the fold.
MemLog is the log in memory; eventtest is the suite that every log passes.

stats holds what a metric is and every test. Pure numbers. stats/groupseq knows
the bounds of looks at planned times, in floats alone. stats/peers holds the
formulae of other programs, for who compares; no decision asks it.
stats/calculator asks all of it in JSON, with anybody's numbers.

flags holds what a flag is, how it changes and what a unit gets; and what flags
share: segments, environments and policies. flags/jsonlogic compiles the rules
that flags bring along, flags/flagd turns flags into flagd's documents and back.
flags/peers turns exports of other systems into flags that keep their units, a
room below it for each.

ingest holds facts from their arrival to the store, and the declared metrics. ingest/shapes
reads what other programs' libraries send, ingest/otlp log records.

decisions holds plans, gates, verdicts, records, the controller, and what comes after a
rollout: its outcome, and the end of its flag.
decisions/rehearsal carries a plan out on a made-up crowd, in virtual time.

sdk is what applications in Go link: a provider for OpenFeature that holds the
rules of an environment, evaluates with package flags, and keeps what became of
units until the server has it. sdk/sdktest is for their tests.

dashboards holds the pages: each a plain struct made of the values of the other
rooms, its forms, and dashboards/chart, which draws their charts as paths.

internal/natslog is the log, the streams and the small values on JetStream, in
this process or on a server. internal/replica compares what replicas hold. internal/engine runs the embedded ClickHouse
engine as a child process. internal/warehouse speaks to it, or to a ClickHouse
server. internal/stream keeps the long answers: the rules of an environment and every
change of them for SDKs, and notices for OFREP clients, each encoded once for
all who listen. internal/server is the HTTP door; internal/flagd
speaks flagd's protocols behind it. internal/access says who may do what,
internal/limit how much of it. internal/oidc proves whom an issuer of identities
vouches for. internal/mcp lets assistants look, and propose, over the same door.
internal/notify is the door out: it tells webhooks what the log says, until they
have heard it (teller.go finds the words in the rooms).
internal/meter writes measurements as Prometheus reads them. internal/trace writes spans of
what an event leads to, and internal/trace/otlp below it sends them to a collector.
internal/ports finds ports for programs that are started again. internal/manifest reads YAML. internal/tabular reads files of rows and turns them into events. internal/refs finds the flags that a source tree
uses, for the command that tells the server. internal/harness runs the loop on memory parts,
driven by scripts. internal/deps_test.go knows which room may import which.

cmd/sluice, where you are, is the only place that reads flags, the environment
and the clock, and that starts goroutines: house.go builds every part in order,
by hand. What flags are served from comes first; what they are served without
(part.go: the streams of facts, the warehouse) is opened in the background.

bench holds programs that measure and torment a built Sluice: rehearse carries one release out thousands of times, rollouts looks at a thousand of them, chaos kills it,
cluster kills the leaders of the NATS servers under it, streams has ten thousand listeners hear of a change, or a thousand of a rollback, events sends as much as it
takes. A program built with -tags chaos dies where chaos tells it to
(fragile_chaos.go); the one that is shipped cannot.

# Rules of the house

The core of each room is pure: data in, data out. A ctx parameter marks a
shell. A function that needs the time takes now. State is a fold of events; to
change state, append an event. Events of our own have derived IDs, so that a
repeat is the same event. Weak data is not an error: results carry their doubt.
*/
package main
