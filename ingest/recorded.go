package ingest

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"
)

// file takes an exposure that no sender wrote down as such, under the rules that
// hold for all.
func (v *visit) file(e Exposure) {
	v.w = wireOf(e)
	v.settle(v.within(e))
}

// wireOf returns an exposure as if it had been sent. Rollout, stage and epoch
// are claims of senders, of which there is none.
func wireOf(e Exposure) wire {
	w := wire{
		has: fKind | fID | fFlag | fVariant | fUnit | fAt | fSource, kind: KindExposure,
		id: e.ID, flag: e.Flag, variant: e.Variant, unit: e.Unit, revision: e.Revision, reason: e.Reason,
		at: e.At.UTC().Truncate(time.Millisecond), attributes: e.Attributes, synthetic: e.Synthetic, source: string(e.Source),
	}
	if e.Enrolled {
		w.has, w.enrolled = w.has|fEnrolled, true
	}
	return w
}

// within checks the bounds that reading a body checks.
func (v *visit) within(e Exposure) (faults []Rejection) {
	faults = slices.Concat(v.bound("flag", e.Flag, maxKey), v.bound("variant", e.Variant, maxKey), v.bound("reason", e.Reason, maxKey),
		v.bound("unit.id", e.Unit.ID, maxUnitID))
	return append(faults, v.boundAttributes(e.Attributes)...)
}

func (v *visit) boundAttributes(m map[string]string) (faults []Rejection) {
	for name, text := range m {
		faults = append(faults, v.bound("attributes."+excerpt([]byte(name)), text, maxAttribute)...)
	}
	return faults
}

// bound checks the length and the encoding of a field.
func (v *visit) bound(field, text string, most int) []Rejection {
	switch {
	case len(text) > most:
		return v.reject(Malformed, field, text, fmt.Sprintf("is longer than %d bytes", most), "shorten it")
	case !utf8.ValidString(text):
		return v.reject(Malformed, field, text, "is not UTF-8", "encode it in UTF-8")
	}
	return nil
}

// derived returns an exposure with its ID, which follows from what it is about.
// The unit goes in as the hash that is stored: from an ID nobody shall be able to
// guess who it was.
func (v *visit) derived(e Exposure, at time.Time, parts ...string) Exposure {
	unit := hashedText(v.hasher.hash(e.Unit.Kind, e.Unit.ID))
	e.ID = DeriveID(at, append([]string{string(e.Source), v.environment, e.Flag, e.Variant, e.Unit.Kind, unit}, parts...)...)
	return e
}
