package ingest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// shape says which fields an event of one kind must and may have.
type shape struct{ must, may field }

func shapeOf(kind string) (shape, bool) {
	const all = fKind | fID
	switch kind {
	case KindExposure:
		return shape{all | fFlag | fVariant | fUnit, fRevision | fRollout | fStage | fEpoch | fEnrolled | fReason | fAt | fAttributes | fSynthetic | fSource | fSDK}, true
	case KindMetric:
		return shape{all | fName | fUnits, fValue | fAt | fAttributes | fSynthetic}, true
	case KindDeployment:
		return shape{all | fService | fVersion, fEnvironment | fAt | fAttributes | fSynthetic}, true
	case KindReading:
		return shape{all | fName | fValue, fLabels | fAt | fSynthetic}, true
	}
	return shape{}, false
}

// names returns the names of a set of fields.
func (f field) names() []string {
	const all = "kind id flag variant unit revision rollout stage epoch enrolled reason at attributes synthetic " +
		"name value units service version environment labels source sdk" // in the order of the constants
	if f == 0 {
		return nil
	}
	var names []string
	for i, name := range strings.Fields(all) {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// check says what is wrong with a whole event whose fields are well formed.
func (v *visit) check() []Rejection {
	w := &v.w
	s, ok := shapeOf(w.kind)
	if !ok {
		if w.has&fKind == 0 {
			return v.reject(Malformed, "kind", "", "is missing", "send exposure, metric, deployment or reading")
		}
		return v.reject(UnknownKind, "kind", w.kind, "is not a kind of event", "send exposure, metric, deployment or reading")
	}
	if v.door.Public && (w.kind == KindDeployment || w.kind == KindReading) {
		return v.reject(NotAllowed, "kind", w.kind, "is not a kind that a client's token may send, which anybody can read in a page or an app",
			"send it with a server's token")
	}
	var faults []Rejection
	for _, name := range (s.must &^ w.has).names() {
		faults = append(faults, v.reject(Malformed, name, "", "is missing", "every "+w.kind+" has one")...)
	}
	for _, name := range (w.has &^ (s.must | s.may)).names() {
		faults = append(faults, v.reject(Malformed, name, "", "does not belong to the kind "+w.kind, "remove it")...)
	}
	if len(faults) > 0 {
		return faults
	}
	faults = append(faults, v.checkTimes()...)
	return append(faults, v.checkKind()...)
}

func (v *visit) checkKind() []Rejection {
	w := &v.w
	switch w.kind {
	case KindExposure:
		return v.checkExposure()
	case KindMetric:
		return append(v.checkName("name", w.name), v.checkUnits()...)
	case KindDeployment:
		faults := append(v.checkName("service", w.service), v.checkName("version", w.version)...)
		if w.has&fEnvironment != 0 && w.environment != v.environment {
			faults = append(faults, v.reject(Malformed, "environment", w.environment,
				"is not the environment of the token", "send "+v.environment+" or leave it out")...)
		}
		return faults
	}
	if w.name == Evaluations {
		return v.checkReport()
	}
	return v.checkName("name", w.name)
}

// checkReport checks a reading of Evaluations. One of a flag that there is not
// would be counted where nobody looks.
func (v *visit) checkReport() []Rejection {
	w := &v.w
	var faults []Rejection
	switch flag := w.labels["flag"]; {
	case flag == "":
		faults = v.reject(Malformed, "labels.flag", "", "is missing", "name the flag that was evaluated")
	case !v.door.Flags.Known(v.environment, flag):
		faults = v.reject(UnknownFlag, "labels.flag", flag, "is not a flag of "+v.environment, "check the key, or apply the flag first")
	}
	if w.labels["reason"] == "" {
		faults = append(faults, v.reject(Malformed, "labels.reason", "", "is missing", "send the reason of the answers, such as SPLIT")...)
	}
	if way := w.labels["way"]; way != "" && way != Asked && way != Listed {
		faults = append(faults, v.reject(Malformed, "labels.way", way, "is neither asked nor listed", "leave it out: what an SDK evaluates one by one was asked")...)
	}
	if w.value < one || w.value > mostEvaluations*one || w.value%one != 0 {
		faults = append(faults, v.reject(Malformed, "value", strconv.FormatFloat(float64(w.value)*Millionths, 'f', -1, 64),
			"is not a number of evaluations", fmt.Sprintf("send a whole number from 1 to %d", mostEvaluations))...)
	}
	return faults
}

func (v *visit) checkName(field, name string) []Rejection {
	if name == "" {
		return v.reject(Malformed, field, "", "is empty", "name it")
	}
	return nil
}

func (v *visit) checkExposure() []Rejection {
	w := &v.w
	v.out.Revision = max(v.out.Revision, w.revision)
	faults := append(v.checkName("variant", w.variant), v.checkUnit("unit.", "kind", "id", w.unit)...)
	if !v.door.Flags.Known(v.environment, w.flag) {
		faults = append(faults, v.reject(UnknownFlag, "flag", w.flag,
			"is not a flag of "+v.environment, "check the key, or apply the flag first")...)
	}
	if !Source(w.source).known() {
		faults = append(faults, v.reject(Malformed, "source", w.source, "is not a source of exposures", "leave it out")...)
	}
	if w.has&fSDK != 0 && w.sdk.Name == "" {
		faults = append(faults, v.reject(Malformed, "sdk.name", "", "is missing", "name the SDK, or leave sdk out")...)
	}
	if w.claim() && w.revision == 0 {
		faults = append(faults, v.reject(Malformed, "revision", "",
			"is missing, and an enrolled exposure needs it", "send the revision of the flag's metadata")...)
	}
	return faults
}

// claim reports whether the sender says that the unit is in an arm. A sender
// that only knows OpenFeature says so with the reason.
func (w *wire) claim() bool {
	if w.has&fEnrolled != 0 {
		return w.enrolled
	}
	return w.reason == "SPLIT"
}

func (v *visit) checkUnits() []Rejection {
	if len(v.w.units) == 0 {
		return v.reject(Malformed, "units", "", "names no unit", `send {"user": "u-1"}, or a reading if there is none`)
	}
	var faults []Rejection
	for _, u := range v.w.units {
		faults = append(faults, v.checkUnit("units", "", "."+u.Kind, u)...)
	}
	return faults
}

// checkUnit names its fields by what they have in common, and the rest.
func (v *visit) checkUnit(field, kind, id string, u Unit) []Rejection {
	var faults []Rejection
	if why := event.CheckKey(u.Kind); why != "" {
		faults = v.reject(Malformed, field+kind, u.Kind, why, "send a kind such as user or workspace")
	}
	if u.ID == "" {
		faults = append(faults, v.reject(Malformed, field+id, "", "is empty", "leave out events without a unit")...)
	}
	return faults
}

func (v *visit) reject(reason Reason, field, value, why, fix string) []Rejection {
	return []Rejection{{
		Index: v.in.index, ID: textOf(v.w.id), Field: field, Value: excerpt([]byte(value)), Reason: reason, Why: why, Fix: fix,
	}}
}
