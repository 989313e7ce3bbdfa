package launchdarkly

import (
	"fmt"
	"slices"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
)

type segment struct {
	Included         []string      `json:"included"`
	Excluded         []string      `json:"excluded"`
	IncludedContexts []target      `json:"includedContexts"`
	ExcludedContexts []target      `json:"excludedContexts"`
	Rules            []segmentRule `json:"rules"`
	Salt             string        `json:"salt"`
	Unbounded        bool          `json:"unbounded"`
	Deleted          bool          `json:"deleted"`
}

type segmentRule struct {
	Clauses            []clause `json:"clauses"`
	Weight             *int     `json:"weight"`
	BucketBy           string   `json:"bucketBy"`
	RolloutContextKind string   `json:"rolloutContextKind"`
}

// segment takes a segment up. Whoever is included and excluded is in it there,
// and would not be here: such an id is not excluded.
func (im *importer) segment(key string, s segment) {
	doc := flags.Segment{Key: key, Description: "brought along from LaunchDarkly"}
	doc.Included.Units = sorted(s.Included)
	doc.Excluded.Units = slices.DeleteFunc(sorted(s.Excluded), func(id string) bool { return slices.Contains(s.Included, id) })
	when, err := im.meeting(key, s)
	switch {
	case err != nil:
	case s.Unbounded:
		err = fmt.Errorf("is a big segment, whose members the export does not have")
	case len(s.IncludedContexts)+len(s.ExcludedContexts) > 0:
		err = fmt.Errorf("lists contexts of other kinds than user")
	}
	is, some := when.When()
	if doc.When = is; is == nil && some {
		doc.When = peers.Everybody()
	}
	im.desk.Segment(doc, err)
}

func sorted(ids []string) []string {
	out := slices.Sorted(slices.Values(ids))
	return slices.DeleteFunc(slices.Compact(out), func(id string) bool { return id == "" })
}

// meeting holds for whoever meets one of the rules.
func (im *importer) meeting(key string, s segment) (peers.Cond, error) {
	any := peers.Never
	for i, r := range s.Rules {
		is, err := im.clauses(r.Clauses)
		if err != nil {
			return any, fmt.Errorf("rules[%d].%w", i, err)
		}
		if r.Weight != nil {
			by, err := im.bucketBy(r.RolloutContextKind, r.BucketBy, false)
			if err != nil {
				return any, fmt.Errorf("rules[%d] %w", i, err)
			}
			h := flags.HashInput{Version: flags.LaunchDarkly, Salt: key + "." + s.Salt + ".", By: by}
			part := peers.Between(h, 0, min(max(*r.Weight, 0), flags.Whole))
			if by == r.RolloutContextKind { // a context without that kind has no place
				part = peers.And(peers.Test(by, flags.IsSet), part)
			}
			is = peers.And(is, part)
		}
		any = peers.Or(any, is)
	}
	return any, nil
}
