package ingest

import (
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/ingest/otlp"
)

// evaluationEvent is the name of OpenTelemetry's event of an evaluation
// (semantic conventions 1.44, "feature flag"), and what follows are its
// attributes.
const (
	evaluationEvent = "feature_flag.evaluation"

	logFlag        = "feature_flag.key"
	logVariant     = "feature_flag.result.variant"
	logReason      = "feature_flag.result.reason"
	logUnit        = "feature_flag.context.id"
	logEnvironment = "feature_flag.set.id"
	logRevision    = "feature_flag.version"

	logSynthetic = "user_agent.synthetic.type" // bot or test
)

// AcceptLogs takes the evaluations among the log records of a body as exposures,
// marked as lossy: exporters sample, and drop what does not get through. Stock
// telemetry hooks of OpenFeature write such records, and our evaluations answer
// with the metadata that they copy: environment, revision and unit. Of all other
// attributes those are kept that the environment names, no others. Errors are
// those of Accept; a record that is no evaluation is rejected, and a body without
// records is taken.
func (d *Door) AcceptLogs(environment, media string, body []byte, now time.Time) (Taken, error) {
	records, err := otlp.Read(media, body)
	if err != nil || len(records) == 0 {
		return Taken{}, err
	}
	v := d.visit(environment, now)
	for _, r := range records {
		v.record(r)
	}
	return v.result()
}

// record files one log record.
func (v *visit) record(r otlp.Record) {
	v.w = wire{}
	if faults := v.notEvaluation(r); len(faults) > 0 {
		v.out.Rejected = append(v.out.Rejected, faults...)
		v.in.index++
		return
	}
	v.file(v.evaluation(r))
}

// notEvaluation says why a record is not the evaluation of a flag here.
func (v *visit) notEvaluation(r otlp.Record) []Rejection {
	switch a := r.Attributes; {
	case r.Event != evaluationEvent:
		return v.reject(UnknownKind, eventField, r.Event, "is not the name of an event that is taken", "export "+evaluationEvent+" alone")
	case a[logEnvironment] != "" && a[logEnvironment] != v.environment:
		return v.reject(Malformed, logEnvironment, a[logEnvironment], "is not the environment of the token", "send with a token of that environment")
	case a[logVariant] == "":
		return v.reject(Malformed, logVariant, "", "is missing: the value was the code's own", "nothing is wrong if the flag is not served here")
	case a[logUnit] == "":
		return v.reject(Malformed, logUnit, "", "is missing", "evaluate with a targeting key")
	}
	return nil
}

const eventField = "eventName"

// evaluation returns the exposure that a record is. The revision is the version
// that our answers name; what another service calls a version is none.
func (v *visit) evaluation(r otlp.Record) Exposure {
	a := r.Attributes
	revision, _ := strconv.ParseUint(a[logRevision], 10, 63)
	e := Exposure{
		Flag: a[logFlag], Variant: a[logVariant], Revision: revision, Reason: strings.ToUpper(a[logReason]), At: r.At,
		Unit:   Unit{Kind: v.door.Flags.UnitKind(v.environment, a[logFlag], revision), ID: a[logUnit]},
		Source: ByTelemetry, Synthetic: a[logSynthetic] != "", Attributes: v.kept.named(a),
	}
	if e.At.IsZero() {
		e.At = v.now
	}
	if e.Unit.Kind == "" {
		e.Unit.Kind = "user" // of a flag that there is not, which check says
	}
	return v.derived(e, e.At, strconv.FormatInt(e.At.UnixNano(), 10), r.Trace, r.Span)
}
