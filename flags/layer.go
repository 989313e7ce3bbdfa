package flags

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Slice is an allocation's part of a layer. A third bucket, of its own salt,
// must lie in [From, To): slices of one layer that do not overlap share no
// unit.
type Slice struct {
	Salt  string `json:"salt" yaml:"salt"`                       // the layer's: see LayerSalt
	From  int    `json:"from" yaml:"from"`                       // 0 … Whole-1, not below the holdout
	To    int    `json:"to" yaml:"to"`                           // From+1 … Whole
	Share int    `json:"share,omitempty" yaml:"share,omitempty"` // asks for a free slice of that size, when To is 0; the rollout keeps it
}

// LayerSalt returns the salt of all slices of a layer.
func LayerSalt(environment, layer string) string { return environment + "/" + layer }

func (l Layer) unit() string {
	if l.Unit == "" {
		return DefaultUnit
	}
	return l.Unit
}

func (l Layer) check() event.Invalids {
	var faults event.Invalids
	checkKey(&faults, "name", l.Name)
	if l.Unit != "" {
		checkKey(&faults, "unit", l.Unit)
	}
	if l.Holdout >= event.Everybody {
		faults.Add("holdout", l.Holdout, "leaves nobody for experiments", "write less than 100%")
	}
	return faults
}

// layer returns the layer that a slice of the environment is part of.
func (e EnvironmentDoc) layer(salt string) (Layer, bool) {
	i := slices.IndexFunc(e.Layers, func(l Layer) bool { return LayerSalt(e.Key, l.Name) == salt })
	if i < 0 {
		return Layer{}, false
	}
	return e.Layers[i], true
}

// held is a slice and the allocation that has it.
type held struct {
	Slice
	rollout string
}

// slices returns the slices of a layer that allocations of other flags hold,
// from the lowest. An allocation holds its slice until it is taken away, also
// while the flag is disabled, forced or archived: it can come back. A flag has
// one allocation, so that its next one takes the place of its own.
func (s *State) slices(environment, salt, flag string) []held {
	var out []held
	for key, r := range s.flags {
		a := r.Environments[environment].Allocation
		if key != flag && a != nil && a.Slice != nil && a.Slice.Salt == salt {
			out = append(out, held{*a.Slice, a.Rollout})
		}
	}
	slices.SortFunc(out, func(a, b held) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.rollout, b.rollout)) })
	return out
}

// FreeSlice returns the lowest part of a layer that is free for a flag and as
// large as the share, in thousandths of a percent.
func (s *State) FreeSlice(environment, layer, flag string, share int) (Slice, error) {
	var faults event.Invalids
	e, ok := s.Environment(environment)
	if !ok {
		return Slice{}, event.Invalids{s.NoEnvironment("environment", environment)}
	}
	free := Slice{Salt: LayerSalt(environment, layer)}
	l, ok := e.layer(free.Salt)
	switch {
	case !ok:
		faults.Add("name", layer, "is not a layer of "+environment, "declare it in the document of the environment")
		return Slice{}, faults
	case share < 1 || share > Whole:
		faults.Add("share", share, fmt.Sprintf("is not between 1 and %d", Whole), "write thousandths of a percent")
		return Slice{}, faults
	}
	free.From = int(l.Holdout)
	for _, h := range s.slices(environment, free.Salt, flag) {
		if h.From-free.From >= share {
			break
		}
		free.From = max(free.From, h.To)
	}
	if free.To = free.From + share; free.To > Whole {
		faults.Add("share", event.Percent(share), "is more than is free in one piece", "ask for less, or end another experiment of the layer")
		return Slice{}, faults
	}
	return free, nil
}

// sliced returns the slice of an allocation: the one that its rollout has, or a
// free one, where it asks for a share.
func (s *State) sliced(environment string, r *record, a Allocation) (*Slice, event.Invalids) {
	if a.Slice == nil || a.Slice.To != 0 || a.Slice.Share == 0 {
		return a.Slice, nil
	}
	if last := r.Rollouts[a.Rollout].Slice; last != nil && last.Salt == a.Slice.Salt && last.Share == a.Slice.Share {
		return last, nil
	}
	layer := strings.TrimPrefix(a.Slice.Salt, LayerSalt(environment, ""))
	free, err := s.FreeSlice(environment, layer, r.Key, a.Slice.Share)
	if faults, ok := err.(event.Invalids); ok {
		return nil, faults
	}
	free.Share = a.Slice.Share
	return &free, nil
}

// checkSlice holds an allocation's slice to its layer.
func (s *State) checkSlice(environment, key string, a Allocation) event.Invalids {
	var faults event.Invalids
	if a.Slice == nil {
		return nil
	}
	e, _ := s.Environment(environment)
	l, ok := e.layer(a.Slice.Salt)
	switch {
	case !ok:
		faults.Add("slice.salt", a.Slice.Salt, "is not a layer of "+environment, "declare the layer in the document of the environment")
		return faults
	case l.unit() != a.Unit:
		faults.Add("unit", a.Unit, "is not the unit of layer "+l.Name, "write "+l.unit()+", or use another layer")
	}
	if a.Slice.From < 0 || a.Slice.To <= a.Slice.From || a.Slice.To > Whole {
		faults.Add("slice", nil, fmt.Sprintf("is not a range between 0 and %d", Whole), "write from below to")
	}
	if a.Slice.From < int(l.Holdout) {
		faults.Add("slice.from", a.Slice.From, fmt.Sprintf("is in the holdout of layer %s, %s", l.Name, l.Holdout), fmt.Sprintf("write %d or more", int(l.Holdout)))
	}
	for _, h := range s.slices(environment, a.Slice.Salt, key) {
		if h.From < a.Slice.To && a.Slice.From < h.To {
			faults.Add("slice", nil, fmt.Sprintf("overlaps that of rollout %s, %d to %d", h.rollout, h.From, h.To), "take a free one")
		}
	}
	return faults
}

// checkLayers refuses a document that would pull a layer from under the slices
// that allocations hold.
func (s *State) checkLayers(faults *event.Invalids, e EnvironmentDoc) {
	for _, key := range slices.Sorted(maps.Keys(s.flags)) {
		a := s.flags[key].Environments[e.Key].Allocation
		if a == nil || a.Slice == nil {
			continue
		}
		l, ok := e.layer(a.Slice.Salt)
		switch {
		case !ok:
			faults.Add("layers", nil, fmt.Sprintf("has no layer %s, and rollout %s holds a slice of it", a.Slice.Salt, a.Rollout), "keep it until that has ended")
		case l.unit() != a.Unit:
			faults.Add("layers", l.unit(), fmt.Sprintf("is another unit of layer %s than rollout %s has", l.Name, a.Rollout), "keep it until that has ended")
		case a.Slice.From < int(l.Holdout):
			faults.Add("layers", l.Holdout, fmt.Sprintf("is a holdout of layer %s that reaches into the slice of rollout %s", l.Name, a.Rollout), "keep it until that has ended")
		}
	}
}
