package ingest

import (
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Place says where a row came from. All rows of one event have the same place.
type Place struct {
	Shard string // of the stream: "facts-0", "control"
	Seq   uint64 // of the message in the stream
	Idx   uint32 // of the event in the message, from 0
}

// Day is a date in UTC, as days since 1970-01-01: the warehouse's partition. It
// follows from the event's ID alone, so that a resend always meets its twin.
type Day uint16

// DayOf returns the day of the 48 time bits of a version 7 ID. Times behind
// the year 2149 wrap around; the door lets none of them in.
func DayOf(id event.ID) Day { return Day(milliOf(id) / (24 * 60 * 60 * 1000)) }

// Time returns midnight UTC at the start of the day.
func (d Day) Time() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

// Millionths is the fixed-point scale of values: a row's value 1,500,000 is
// 1.5. Sums of such integers are exact in any order.
const Millionths = 1e-6

// ExposureRow is one unit that met one variant of a flag.
type ExposureRow struct {
	Place
	ID          event.ID
	Day         Day
	Environment string
	Flag        string
	Variant     string // what the unit was served
	UnitKind    string // "user", "workspace"
	Unit        uint64 // keyed hash of the unit's id, see UnitHash
	Revision    uint64 // of the flag that served it, 0 when the sender did not say
	Rollout     string // of the control history at Revision: "<env>/<flag>/<n>"; empty when there is none
	Stage       string
	Epoch       int32
	Arm         string // variant in the allocation; empty when not enrolled
	Enrolled    bool   // in an arm of Rollout; only enrolled exposures are analysed
	Differs     bool   // the sender's claim of rollout, stage, epoch or enrolment was another
	Reason      string // OpenFeature reason
	At          time.Time
	Received    time.Time // when the door took it
	Attributes  map[string]string
	Synthetic   bool   // shown, never analysed
	Source      Source // who recorded it
}

// MetricRow is one unit kind of one metric event: the event of a user that
// belongs to a workspace is two rows with the same ID.
type MetricRow struct {
	Place
	ID          event.ID
	Day         Day
	Environment string
	Name        string // of the event
	UnitKind    string
	Unit        uint64
	Value       int64 // in Millionths
	At          time.Time
	Received    time.Time
	Attributes  map[string]string
	Synthetic   bool
}

// DeploymentRow is a version of a service that went live.
type DeploymentRow struct {
	Place
	ID          event.ID
	Day         Day
	Environment string
	Service     string
	Version     string
	At          time.Time
	Received    time.Time
	Attributes  map[string]string
	Synthetic   bool
}

// ReadingRow is a measurement without a unit: saturation, budget burn, cost.
type ReadingRow struct {
	Place
	ID          event.ID
	Day         Day
	Environment string
	Name        string
	Value       int64 // in Millionths
	At          time.Time
	Received    time.Time
	Labels      map[string]string
	Synthetic   bool
}

// ControlRow is one event of the control log, so that a query joins what
// happened with who changed what. Its Place.Seq is the event's sequence.
type ControlRow struct {
	Place
	ID      event.ID
	Day     Day // of At: IDs of control events need not hold a time
	Type    string
	Subject string
	Source  string
	Actor   string
	Cause   string
	At      time.Time
	Data    string // JSON
	Prev    event.Hash
	Hash    event.Hash
}

// Rows are the rows of some events, by table. In each table they are in the
// order of (Seq, Idx).
type Rows struct {
	Exposures   []ExposureRow
	Metrics     []MetricRow
	Deployments []DeploymentRow
	Readings    []ReadingRow
	Control     []ControlRow
}

// Len returns the number of rows in all tables.
func (r Rows) Len() int {
	return len(r.Exposures) + len(r.Metrics) + len(r.Deployments) + len(r.Readings) + len(r.Control)
}
