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
// and would not be here: such an id is not excluded. Lists of other keys than
// those of users are conditions.
func (im *importer) segment(key string, s segment) {
	doc := flags.Segment{Key: im.prefix + key, Description: "brought along from LaunchDarkly"}
	is, err := im.belonging(key, s)
	if plain := len(s.IncludedContexts)+len(s.ExcludedContexts) == 0 && im.keyOf(user) == flags.TargetingKey; plain && err == nil {
		doc.Included.Units = peers.IDs(s.Included)
		doc.Excluded.Units = slices.DeleteFunc(peers.IDs(s.Excluded), func(id string) bool { return slices.Contains(s.Included, id) })
		is, err = im.meeting(key, s)
	}
	im.desk.Segment(doc, is, err)
}

// belonging holds for whoever is in a segment: who is included, and of those who
// are not excluded who meets a rule.
func (im *importer) belonging(key string, s segment) (peers.Cond, error) {
	if s.Unbounded {
		return peers.Never, fmt.Errorf("is a big segment, whose members the export does not have")
	}
	included, excluded := peers.Among(im.keyOf(user), s.Included), peers.Among(im.keyOf(user), s.Excluded)
	for _, t := range s.IncludedContexts {
		included = peers.Or(included, peers.Among(im.keyOf(t.ContextKind), t.Values))
	}
	for _, t := range s.ExcludedContexts {
		excluded = peers.Or(excluded, peers.Among(im.keyOf(t.ContextKind), t.Values))
	}
	rules, err := im.meeting(key, s)
	return peers.Or(included, peers.And(peers.Not(excluded), rules)), err
}

// Of segments within a segment: how many ids of a list are written out, and how
// deep they may lie.
const (
	longest = 1000
	deepest = 5
)

// writtenOut returns the conditions of a segment for another one that asks for it.
func (im *importer) writtenOut(key string) (peers.Cond, error) {
	s := im.Segments[key]
	switch {
	case slices.Contains(im.within, key):
		return peers.Never, fmt.Errorf("asks for the segment %s, which asks for itself", key)
	case len(im.within) > deepest:
		return peers.Never, fmt.Errorf("asks for the segment %s, which lies in more than %d others", key, deepest)
	case len(s.Included)+len(s.Excluded) > longest:
		return peers.Never, fmt.Errorf("asks for the segment %s, which lists more than %d", key, longest)
	}
	is, err := im.belonging(key, s)
	if err != nil {
		return is, fmt.Errorf("asks for the segment %s: %w", key, err)
	}
	return is, nil
}

// meeting holds for whoever meets one of the rules.
func (im *importer) meeting(key string, s segment) (peers.Cond, error) {
	im.within = append(im.within, key)
	defer func() { im.within = im.within[:len(im.within)-1] }()
	any := peers.Never
	for i, r := range s.Rules {
		is, err := im.segmentRule(key, s, r)
		if err != nil {
			return any, fmt.Errorf("rules[%d].%w", i, err)
		}
		any = peers.Or(any, is)
	}
	return any, nil
}

// segmentRule holds for whoever meets a rule, of whom it may take a share.
func (im *importer) segmentRule(key string, s segment, r segmentRule) (peers.Cond, error) {
	is, err := im.clauses(r.Clauses)
	if err != nil || r.Weight == nil {
		return is, err
	}
	by, err := im.bucketBy(r.RolloutContextKind, r.BucketBy, false)
	if err != nil {
		return is, err
	}
	h := flags.HashInput{Version: flags.LaunchDarkly, Salt: key + "." + s.Salt + ".", By: by}
	part := peers.Between(h, 0, min(max(*r.Weight, 0), flags.Whole))
	if by == r.RolloutContextKind { // a context without that kind has no place
		part = peers.And(peers.Test(by, flags.IsSet), part)
	}
	return peers.And(is, part), nil
}
