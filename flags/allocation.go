package flags

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// Whole is everybody: the resolution of coverage, weights and buckets. One is
// a thousandth of a percent.
const Whole = 100000

// HashVersion is the only hash that rollouts have: murmur3_x86_32 with flagd's
// arithmetic ("fractional" version 2). Splits and portions that were brought
// along may have another: see Foreign.
const HashVersion = 2

// Allocation splits the units of an environment between the arms of a rollout.
// Two hashes, so that raising Coverage never moves a unit between arms, and
// lowering it and raising it again restores the same cohort.
type Allocation struct {
	Rollout     string            `json:"rollout" yaml:"rollout"`                       // "<environment>/<flag>/<n>"
	Stage       string            `json:"stage" yaml:"stage"`                           // of the rollout's plan
	Epoch       int               `json:"epoch" yaml:"epoch"`                           // from 1; within one only Stage and Coverage change
	HashVersion int               `json:"hashVersion" yaml:"hashVersion"`               // 0: the present one
	Salt        string            `json:"salt" yaml:"salt"`                             // see Salt
	Unit        string            `json:"unit" yaml:"unit"`                             // the flag's unit
	Eligible    string            `json:"eligible,omitempty" yaml:"eligible,omitempty"` // name of the audience, for people
	Audience    *Condition        `json:"audience,omitempty" yaml:"audience,omitempty"` // who can be enrolled at all; nil: everybody
	Segments    map[string]uint64 `json:"segments,omitempty" yaml:"segments,omitempty"` // those of Audience -> the revision that they were pinned at
	Slice       *Slice            `json:"slice,omitempty" yaml:"slice,omitempty"`       // part of a layer; nil: in none
	Coverage    int               `json:"coverage" yaml:"coverage"`                     // share of units enrolled, 0 … Whole
	Arms        []Arm             `json:"arms" yaml:"arms"`                             // treatment first
	Shadow      string            `json:"shadow,omitempty" yaml:"shadow,omitempty"`     // variant that enrolled units are to run beside the one arm they answer, and nobody sees; empty: none
	Ramp        bool              `json:"ramp,omitempty" yaml:"ramp,omitempty"`         // no plan's: one arm, nothing is compared and nobody enrolled; see State.Ramp
}

// Arm is one variant of an allocation or split, and its share.
type Arm struct {
	Variant string `json:"variant" yaml:"variant"`
	Weight  int    `json:"weight" yaml:"weight"` // 1 … Whole; the weights of all arms add up to Whole
}

// Even returns arms of equal weight, in the order of the variants. What does
// not divide goes to the first arms, one each.
func Even(variants ...string) []Arm {
	arms := make([]Arm, len(variants))
	for i, v := range variants {
		arms[i] = Arm{Variant: v, Weight: Whole / len(variants)}
		if i < Whole%len(variants) {
			arms[i].Weight++
		}
	}
	return arms
}

// Salt returns the salt of a flag's n-th rollout, counted from 1: the key for
// the first and "<key>#<n>" for later ones, so that the next experiment does
// not inherit the arms of the last.
func Salt(key string, n int) string {
	if n <= 1 {
		return key
	}
	return key + "#" + strconv.Itoa(n)
}

// Forced says that everybody gets the safe variant, targets and rules
// included, and why.
type Forced struct {
	Reason   string    `json:"reason" yaml:"reason"`
	Decision string    `json:"decision,omitempty" yaml:"decision,omitempty"` // ID of the decision; empty when a person forced it
	At       time.Time `json:"at" yaml:"at"`                                 // when the command was given, UTC
}

// breaks names what keeps b from following a in the same epoch, or "".
func (a Allocation) breaks(b Allocation) string {
	switch {
	case !slices.Equal(a.Arms, b.Arms):
		return "arms"
	case a.Salt != b.Salt:
		return "salt"
	case a.Unit != b.Unit:
		return "unit"
	case a.HashVersion != b.HashVersion:
		return "hashVersion"
	case a.Eligible != b.Eligible:
		return "eligible"
	case !same(a.Audience, b.Audience):
		return "audience"
	case !maps.Equal(a.Segments, b.Segments):
		return "segments"
	case !same(a.Slice, b.Slice):
		return "slice"
	case a.Shadow != b.Shadow:
		return "shadow"
	}
	return ""
}
