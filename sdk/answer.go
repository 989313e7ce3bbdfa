package sdk

import (
	"encoding/json"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/flags"
)

// answer is what OpenFeature is told of one answer of a flag, made the first
// time that the flag gives it: evaluating decodes nothing.
type answer struct {
	is       identity
	value    any                      // bool, string, float64, map[string]any or []any; nil when the code decides
	metadata openfeature.FlagMetadata // shared: the client copies it
}

// identity tells the answers of one revision of a flag apart.
type identity struct {
	variant, rollout, stage string
	epoch                   int
	step                    flags.Step
	unenrolled              flags.Unenrolled
	enrolled                bool
}

func identify(r *flags.Result) identity {
	return identity{
		variant: r.Variant, rollout: r.Rollout, stage: r.Stage, epoch: r.Epoch,
		step: r.Step, unenrolled: r.Unenrolled, enrolled: r.Enrolled,
	}
}

// answers are those that one flag has given so far: a handful, so that looking
// through them is quicker than hashing. Readers take no lock.
type answers struct {
	list atomic.Pointer[[]*answer]
}

// of returns the answer of a result.
func (a *answers) of(environment string, r *flags.Result) *answer {
	is := identify(r)
	list := a.list.Load()
	if list != nil {
		for _, known := range *list {
			if known.is == is {
				return known
			}
		}
	}
	made := &answer{is: is, value: decode(r.Value), metadata: metadataOf(environment, r)}
	a.add(list, made)
	return made
}

// add keeps a new answer, unless somebody else was quicker: then it is made
// again, or found, the next time.
func (a *answers) add(list *[]*answer, made *answer) {
	var longer []*answer
	if list != nil {
		longer = slices.Clip(*list)
	}
	longer = append(longer, made)
	a.list.CompareAndSwap(list, &longer)
}

func decode(value json.RawMessage) any {
	if value == nil {
		return nil
	}
	var v any
	_ = json.Unmarshal(value, &v) // a variant's value is JSON, or the ruleset would not have been read
	return v
}

// metadataOf has the names that answers of OFREP have, so that hooks read both
// alike.
func metadataOf(environment string, r *flags.Result) openfeature.FlagMetadata {
	m := openfeature.FlagMetadata{
		"flagSetId": environment, "version": strconv.FormatUint(r.Revision, 10), "revision": int64(r.Revision),
		"unit": r.Unit, "enrolled": r.Enrolled,
	}
	if r.Rollout != "" {
		m["rollout"], m["stage"], m["epoch"] = r.Rollout, r.Stage, int64(r.Epoch)
	}
	if r.Shadow != "" {
		m["shadow"] = r.Shadow
	}
	if r.Unenrolled != "" {
		m["unenrolled"] = string(r.Unenrolled)
	}
	switch r.Step {
	case flags.AtArchived:
		m["archived"] = true
	case flags.AtDisabled:
		m["disabled"] = true
	case flags.AtForced:
		m["forced"] = true
	}
	for name, v := range r.Metadata {
		m[name] = v
	}
	return m
}
