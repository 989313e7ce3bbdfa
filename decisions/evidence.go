package decisions

import (
	"encoding/json"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/stats"
)

// Evidence is everything that a verdict rests on besides the plan and the
// state of the rollout: what was counted, up to where, by which queries, and
// the statistics made of it. It is pure data and recorded whole.
type Evidence struct {
	At           time.Time         `json:"at"`                  // when it was taken
	Watermark    map[string]Place  `json:"watermark,omitempty"` // by shard: the facts that are counted in it
	FlagRevision uint64            `json:"flagRevision"`        // of the flag when it was taken; what a decision expects it to be still
	FlagOff      string            `json:"flagOff,omitempty"`   // why the flag answers its safe variant to all just then: "disabled", "forced: …"
	Exposures    int64             `json:"exposures"`           // of this rollout, counted once each
	Newest       time.Time         `json:"newest,omitzero"`     // newest exposure of this rollout
	Units        []Count           `json:"units"`
	TwoArms      int64             `json:"twoArms"`               // units that saw two arms in one epoch; they are in no other number but the next
	Quarantined  []Count           `json:"quarantined,omitempty"` // the same by their first exposure; not counted in evidence of before
	Strays       []Stray           `json:"strays,omitempty"`      // exposures of units of other kinds, by kind; not counted in evidence of before
	Unaccounted  int64             `json:"unaccounted"`           // events acknowledged and behind the watermark, but neither counted nor dead-lettered
	Metrics      []Measured        `json:"metrics"`               // those of the plan, in its order
	Incidents    []Incident        `json:"incidents,omitempty"`
	Deployments  []Deployment      `json:"deployments,omitempty"` // that went live since the stage began, newest first
	Needs        []Need            `json:"needs,omitempty"`       // approvals that policies ask for before a stage is left
	Closed       []Closure         `json:"closed,omitempty"`      // freezes and hours that keep stages from beginning just now
	Queries      []Query           `json:"queries,omitempty"`
	SampleRatio  *stats.SRM        `json:"sampleRatio,omitempty"` // computed by Read
	Quarantine   *stats.Quarantine `json:"quarantine,omitempty"`  // of Quarantined, by Read; nil: there are none
}

// Place is how far one shard of facts is counted.
type Place struct {
	Seq    uint64         `json:"seq"`
	Newest time.Time      `json:"newest,omitzero"`  // newest event up to Seq
	Behind event.Duration `json:"behind,omitempty"` // how long the oldest event after Seq has waited; 0: there is none
}

// Count is a number of units, by first exposure.
type Count struct {
	Epoch int    `json:"epoch"`
	Stage string `json:"stage"`
	Arm   string `json:"arm"` // variant
	N     int64  `json:"n"`
}

// Measured is one metric of the plan: what was counted, and what Read makes of
// it. The statistics are recorded, so that a later recomputation compares them
// with thresholds and never repeats floating-point work.
type Measured struct {
	Metric string          `json:"metric"`
	Strata []stats.Stratum `json:"strata,omitempty"` // of units old enough for the gate
	Newest time.Time       `json:"newest,omitzero"`  // newest event of the metric, of any unit of the rollout
	Cap    *Cap            `json:"cap,omitempty"`    // that the values of its units were cut to; nil: they were not
	Served []stats.Stratum `json:"served,omitempty"` // in a stage that serves an audience: its treated units, who are in no other number
	Parts  []Part          `json:"parts,omitempty"`  // by the attribute that its guardrail is asked within, those with the most units first
	Alive  time.Time       `json:"alive,omitzero"`   // of failures: newest sign of life of whoever reports them, of any unit

	Direction stats.Direction `json:"direction,omitempty"` // which way is better; by Read, like all below
	Unit      string          `json:"unit,omitempty"`      // of measure
	Quiet     event.Duration  `json:"quiet,omitempty"`     // silence that says nothing: how long a unit's events may take to come
	Sign      string          `json:"sign,omitempty"`      // of failures: the event that is declared as the sign of life; empty: their own

	Comparison *stats.Comparison `json:"comparison,omitempty"` // for people to look at; no gate asks it
	Judgement  *stats.Judgement  `json:"judgement,omitempty"`  // of a guardrail, against its margin
	Limit      *stats.Judgement  `json:"limit,omitempty"`      // of a guardrail, against its limit
	Level      *Level            `json:"level,omitempty"`      // of a guardrail with a limit, where its treated units are too few for a test
	Outcome    *stats.Outcome    `json:"outcome,omitempty"`    // of a success metric
	Exclusion  *stats.Exclusion  `json:"exclusion,omitempty"`  // of the size that the present stage names
	AtMargin   *stats.Exclusion  `json:"atMargin,omitempty"`   // of the margin, in the stage that decides

	Failures         *stats.EventJudgement `json:"failures,omitempty"`         // of a guardrail on failures, in the place of Judgement; nil in evidence of before: judged as a proportion
	FailuresExcluded *FailuresExcluded     `json:"failuresExcluded,omitempty"` // in the place of Exclusion
	FailuresAtMargin *FailuresExcluded     `json:"failuresAtMargin,omitempty"` // in the place of AtMargin
	FailureRate      *stats.RateJudgement  `json:"failureRate,omitempty"`      // against the declared rate, where there is no control: in full stages and those that serve an audience
}

// Query is one question that was put to the warehouse.
type Query struct {
	SQL    string          `json:"sql"`
	Params json.RawMessage `json:"params,omitempty"` // as JSON with sorted keys
	Hash   event.Hash      `json:"hash"`             // SHA-256 over the SQL, a zero byte and Params
	Of     []string        `json:"of,omitempty"`     // what its numbers are: "units", or keys of metrics
}

// Asked returns one hash over everything that was asked for the evidence: equal
// hashes are equal questions, up to the same watermark. Zero: nothing was.
func (e Evidence) Asked() event.Hash {
	if len(e.Queries) == 0 {
		return event.Hash{}
	}
	var all []byte
	for _, q := range e.Queries {
		all = append(all, q.Hash[:]...)
	}
	return event.Sum(all)
}

// Severity is how bad an incident is.
type Severity string

// The severities.
const (
	Critical Severity = "critical"
	Blocking Severity = "blocking"
	Minor    Severity = "minor"
)

// Incident is one that is open.
type Incident struct {
	ID       string    `json:"id"`
	Severity Severity  `json:"severity"`
	Since    time.Time `json:"since"` // when it was told
	Text     string    `json:"text,omitempty"`
	Particulars
}

// Metric returns what was measured of a metric.
func (e Evidence) Metric(key string) (Measured, bool) {
	for _, m := range e.Metrics {
		if m.Metric == key {
			return m, true
		}
	}
	return Measured{}, false
}

// UnitsOf returns the units of one arm, over all stages when stage is empty.
func (e Evidence) UnitsOf(stage, arm string) int64 {
	var n int64
	for _, c := range e.Units {
		if c.Arm == arm && (stage == "" || c.Stage == stage) {
			n += c.N
		}
	}
	return n
}
