package ingest

import (
	"slices"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest/shapes"
)

// Kinds of facts: the field `kind` of an event.
const (
	KindExposure   = "exposure"
	KindMetric     = "metric"
	KindDeployment = "deployment"
	KindReading    = "reading"
)

// Kinds lists them.
var Kinds = []string{KindExposure, KindMetric, KindDeployment, KindReading}

// Unit names what was exposed: {"kind": "workspace", "id": "w-17"}.
type Unit struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

// Exposure says that a unit met a variant. Senders make the ID once (UUID
// version 7) and keep it on every retry.
type Exposure struct {
	Kind       string            `json:"kind"` // KindExposure
	ID         event.ID          `json:"id"`
	Flag       string            `json:"flag"`
	Variant    string            `json:"variant"`
	Unit       Unit              `json:"unit"`
	Revision   uint64            `json:"revision,omitempty"` // of the flag, from the flag metadata; required when enrolled
	Rollout    string            `json:"rollout,omitempty"`  // these three are cross-checked with the history at Revision
	Stage      string            `json:"stage,omitempty"`
	Epoch      int32             `json:"epoch,omitempty"`
	Enrolled   bool              `json:"enrolled"`         // a sender that leaves it out means: when the reason is SPLIT
	Reason     string            `json:"reason,omitempty"` // OpenFeature's: "SPLIT", "TARGETING_MATCH"
	At         time.Time         `json:"at,omitzero"`      // zero: the time of the ID
	Attributes map[string]string `json:"attributes,omitempty"`
	Synthetic  bool              `json:"synthetic,omitempty"` // shown, never analysed
	Source     Source            `json:"source,omitempty"`    // who recorded it
	SDK        SDK               `json:"sdk,omitzero"`        // that evaluated the flag; it is kept in the attributes
}

// Source says who recorded an exposure. What is not the sender's own is lossy:
// it may be sampled or lost on its way, so that its number is a least one.
type Source string

// The sources of exposures.
const (
	BySender     Source = ""           // whoever met the variant, and sends each exposure until it is acknowledged
	ByTelemetry  Source = "otlp"       // an OpenTelemetry log record of an evaluation
	ByEvaluation Source = "evaluation" // this service, of an evaluation that it answered
)

// Lossy reports whether exposures of the source may be missing. Other programs'
// libraries, whose shapes are sources, keep what they could not send in memory, and
// not much of it.
func (s Source) Lossy() bool { return s != BySender }

func (s Source) known() bool {
	return s == BySender || s == ByTelemetry || s == ByEvaluation || slices.Contains(shapes.Shapes, shapes.Shape(s))
}

// MetricEvent is something that happened to one or more units: the purchase of
// a user also belongs to the user's workspace.
type MetricEvent struct {
	Kind       string            `json:"kind"` // KindMetric
	ID         event.ID          `json:"id"`
	Name       string            `json:"name"`            // of the event, declared by a metric
	Value      *float64          `json:"value,omitempty"` // kept to the millionth; nil: 1
	Units      map[string]string `json:"units"`           // kind -> id
	At         time.Time         `json:"at,omitzero"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Synthetic  bool              `json:"synthetic,omitempty"`
}

// Deployment says that a version of a service went live.
type Deployment struct {
	Kind        string            `json:"kind"` // KindDeployment
	ID          event.ID          `json:"id"`
	Service     string            `json:"service"`
	Version     string            `json:"version"`
	Environment string            `json:"environment,omitempty"` // must be the token's when given
	At          time.Time         `json:"at,omitzero"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Synthetic   bool              `json:"synthetic,omitempty"`
}

// Reading is a measurement without a unit: saturation, budget burn, cost.
type Reading struct {
	Kind      string            `json:"kind"` // KindReading
	ID        event.ID          `json:"id"`
	Name      string            `json:"name"`
	Value     float64           `json:"value"`
	Labels    map[string]string `json:"labels,omitempty"`
	At        time.Time         `json:"at,omitzero"`
	Synthetic bool              `json:"synthetic,omitempty"`
}
