package flags

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// Bounds of a segment's lists.
const (
	MaxUnits    = 1_000_000 // ids of one list
	maxUnitID   = 512       // bytes of an id
	inlineUnits = 1000      // ids that a document and the log hold themselves
	inlineBytes = 64 << 10  // bytes of those ids
)

// UnitList is a list of unit ids. A small one is written out; the bulk of a
// large one is a document of its own (event.Blobs) that the list names, so
// that neither an event nor the state holds a million ids. It is read from
// a plain list of ids, too.
type UnitList struct {
	Units   []string  `json:"units,omitempty" yaml:"units,omitempty" doc:"all ids of a small list; of a large one those that were added since"`
	Without []string  `json:"without,omitempty" yaml:"without,omitempty" doc:"ids of the bulk that were taken out since"`
	Bulk    *UnitBulk `json:"bulk,omitempty" yaml:"bulk,omitempty" doc:"the document that holds most of a large list"`
}

// UnitBulk names the document that holds the bulk of a list: see Pack.
type UnitBulk struct {
	SHA256 event.Hash `json:"sha256" yaml:"sha256"`
	Size   int64      `json:"size" yaml:"size" doc:"bytes"`
	Count  int        `json:"count" yaml:"count" doc:"ids"`
}

// IsZero reports whether the list names nobody. One from which the last unit
// was taken is written as one that never had any: else the state's hash would
// depend on whether it came from a snapshot.
func (l UnitList) IsZero() bool { return len(l.Units) == 0 && len(l.Without) == 0 && l.Bulk == nil }

// Blob returns the name of the document.
func (b UnitBulk) Blob() event.Blob { return event.Blob{SHA256: b.SHA256, Size: b.Size} }

// ListOf returns a list of ids that is written out.
func ListOf(ids ...string) UnitList { return UnitList{Units: ids} }

// PackedList returns the list whose bulk is the document that Pack made.
func PackedList(name event.Blob, packed []byte) UnitList {
	return UnitList{Bulk: &UnitBulk{SHA256: name.SHA256, Size: name.Size, Count: bytes.Count(packed, []byte{'\n'})}}
}

// Len returns how many ids the list has. Ids that are added to a list whose
// bulk has them already count twice: the bulk is not looked at.
func (l UnitList) Len() int {
	n := len(l.Units) - len(l.Without)
	if l.Bulk != nil {
		n += l.Bulk.Count
	}
	return n
}

// Small reports whether the log may hold the list itself; one that is not is
// packed first.
func (l UnitList) Small() bool {
	size := 0
	for _, list := range [][]string{l.Units, l.Without} {
		for _, id := range list {
			size += len(id)
		}
	}
	return len(l.Units)+len(l.Without) <= inlineUnits && size <= inlineBytes
}

// absent reports whether a document does not speak of the list: an empty list,
// written out, is not absent.
func (l UnitList) absent() bool { return l.Units == nil && l.Bulk == nil }

// add returns the list with the ids in it.
func (l UnitList) add(ids []string) UnitList {
	l.Without = minus(l.Without, ids)
	l.Units = sortedUnits(slices.Concat(l.Units, ids))
	return l
}

// remove returns the list with the ids out of it.
func (l UnitList) remove(ids []string) UnitList {
	l.Units = minus(l.Units, ids)
	if l.Bulk != nil {
		l.Without = sortedUnits(slices.Concat(l.Without, ids))
	}
	return l
}

func minus(list, ids []string) []string {
	out := slices.Clone(list)
	return slices.Clip(slices.DeleteFunc(out, func(id string) bool { return slices.Contains(ids, id) }))
}

// normal returns the list as the log keeps it: sorted, each id once.
func (l UnitList) normal() UnitList {
	l.Units, l.Without = sortedUnits(l.Units), sortedUnits(l.Without)
	return l
}

func sortedUnits(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	out := slices.Clone(ids)
	slices.Sort(out)
	return slices.Clip(slices.Compact(out))
}

// check returns the faults of a list, with paths below it.
func (l UnitList) check() event.Invalids {
	var faults event.Invalids
	checkIDs(&faults, "units", l.Units)
	checkIDs(&faults, "without", l.Without)
	switch {
	case l.Bulk == nil && len(l.Without) > 0:
		faults.Add("without", nil, "has no meaning without bulk", "leave the ids out of the list")
	case !l.Small():
		faults.Add("units", nil, fmt.Sprintf("has more than %d ids or %d bytes", inlineUnits, inlineBytes), "send the whole list to the segment's units")
	case l.Len() > MaxUnits:
		faults.Add("", nil, fmt.Sprintf("has more than %d ids", MaxUnits), "write a condition instead")
	}
	return faults
}

func checkIDs(faults *event.Invalids, path string, ids []string) {
	for i, id := range ids {
		if why := CheckUnit(id); why != "" {
			faults.Add(fmt.Sprintf("%s[%d]", path, i), id, why, "")
		}
	}
}

// All yields the ids of the list, those of its bulk included; bulk is nil when
// it has none.
func (l UnitList) All(bulk *Units) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, id := range l.Units {
			if !yield(id) {
				return
			}
		}
		added, without := unitsOf(l.Units), unitsOf(l.Without)
		for id := range bulk.All() {
			if !without.Has(id) && !added.Has(id) && !yield(id) {
				return
			}
		}
	}
}

// CheckUnit says why a text cannot be the id of a unit in a list, or returns
// "".
func CheckUnit(id string) string {
	if id == "" {
		return "is empty"
	}
	return checkLine(id, maxUnitID)
}

// UnmarshalJSON reads either form.
func (l *UnitList) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte{'['}) {
		*l = UnitList{}
		return json.Unmarshal(b, &l.Units)
	}
	type plain UnitList
	return json.Unmarshal(b, (*plain)(l))
}

// UnmarshalYAML reads either form.
func (l *UnitList) UnmarshalYAML(unmarshal func(any) error) error {
	var ids []string
	if unmarshal(&ids) == nil {
		*l = UnitList{Units: ids}
		return nil
	}
	type plain UnitList
	return unmarshal((*plain)(l))
}
