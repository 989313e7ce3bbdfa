package flags

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-hq/sluice/event"
)

func unitSet(t testing.TB, ids ...string) *Units {
	t.Helper()
	u, err := ReadUnits(Pack(slices.Clone(ids)))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A set is exact: it has what was put in, and nothing else.
func TestUnitsAreASet(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.StringMatching(`[a-c]{1,4}`)
		ids, asked := rapid.SliceOf(word).Draw(rt, "ids"), rapid.SliceOf(word).Draw(rt, "asked")
		u, in := unitSet(t, ids...), map[string]bool{}
		for _, id := range ids {
			in[id] = true
		}
		for _, id := range append(asked, append(ids, "", "a\nb", "dddd")...) {
			if u.Has(id) != in[id] {
				rt.Fatalf("%q of %q: got %v", id, ids, u.Has(id))
			}
		}
		all := slices.Collect(u.All())
		if u.Len() != len(in) || len(all) != len(in) || !slices.IsSorted(all) {
			rt.Fatalf("%d ids, %q of %q", u.Len(), all, ids)
		}
	})
	var none *Units
	if none.Has("a") || none.Len() != 0 || len(slices.Collect(none.All())) != 0 {
		t.Error("the nil set is not empty")
	}
}

func TestUnitsThatAreDamaged(t *testing.T) {
	for _, packed := range []string{"a", "\n", "b\na\n", "a\na\n", "a\n\n"} {
		if _, err := ReadUnits([]byte(packed)); !errors.Is(err, event.ErrDamaged) {
			t.Errorf("%q: got %v", packed, err)
		}
	}
}

func TestUnitListIsReadFromEitherForm(t *testing.T) {
	want := UnitList{Units: []string{"a", "b"}}
	for _, text := range []string{`["a","b"]`, `{"units":["a","b"]}`} {
		var got UnitList
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
	bulk := UnitList{Bulk: &UnitBulk{SHA256: event.Sum([]byte("a\n")), Size: 2, Count: 1}, Units: []string{"b"}, Without: []string{"a"}}
	b, err := json.Marshal(bulk)
	if err != nil {
		t.Fatal(err)
	}
	var again UnitList
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(bulk, again); diff != "" {
		t.Errorf("%s: %s", b, diff)
	}
	if err := json.Unmarshal([]byte(`[5]`), &again); err == nil {
		t.Error("a number is an id")
	}
}

// A list with a bulk and changes since is the list that the same changes of a
// plain set leave.
func TestUnitListChanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		word := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"})
		start, in := rapid.SliceOf(word).Draw(rt, "start"), map[string]bool{}
		for _, id := range start {
			in[id] = true
		}
		list, lists := ListOf(start...).normal(), Lists{}
		if rapid.Bool().Draw(rt, "packed") {
			packed := Pack(slices.Clone(start))
			list = PackedList(event.Blob{SHA256: event.Sum(packed), Size: int64(len(packed))}, packed)
			lists[list.Bulk.SHA256] = unitSet(t, start...)
		}
		for range rapid.IntRange(0, 6).Draw(rt, "changes") {
			ids, add := rapid.SliceOfN(word, 1, 3).Draw(rt, "ids"), rapid.Bool().Draw(rt, "add")
			if add {
				list = list.add(ids)
			} else {
				list = list.remove(ids)
			}
			for _, id := range ids {
				in[id] = add
			}
		}
		m, ok := list.compile(lists)
		if !ok {
			rt.Fatal("the list is not there")
		}
		var all []string
		for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
			if m.has(id) != in[id] {
				rt.Fatalf("%s of %+v: got %v", id, list, m.has(id))
			}
			if in[id] {
				all = append(all, id)
			}
		}
		got := slices.Sorted(list.All(m.bulk))
		if !slices.Equal(got, all) {
			rt.Fatalf("%+v yields %q, want %q", list, got, all)
		}
	})
}

func TestUnitListFaults(t *testing.T) {
	many := make([]string, inlineUnits+1)
	for i := range many {
		many[i] = fmt.Sprintf("u-%d", i)
	}
	bulk := &UnitBulk{Count: MaxUnits}
	for name, c := range map[string]struct {
		list UnitList
		want string
	}{
		"empty id":       {ListOf("a", ""), "units[1]: is empty"},
		"two lines":      {ListOf("a\nb"), "units[0]: has a control character"},
		"not UTF-8":      {ListOf("a\xff"), "units[0]: is not text in UTF-8"},
		"long":           {ListOf(string(make([]byte, maxUnitID+1))), "units[0]: is longer than 512 bytes"},
		"many":           {ListOf(many...), "units: has more than 1000 ids or 65536 bytes"},
		"too many":       {UnitList{Bulk: bulk, Units: []string{"a"}}, ": has more than 1000000 ids"},
		"without a bulk": {UnitList{Without: []string{"a"}}, "without: has no meaning without bulk"},
	} {
		wantRefusal(t, name, c.list.check().Err(), c.want)
	}
}

// Two ids whose hashes are the same are still two: the set is exact.
func TestUnitsWhoseHashesAreTheSame(t *testing.T) {
	var ids []string
	by := map[uint32]string{}
	for i := range 200_000 {
		id := fmt.Sprintf("member-%d", i)
		ids, by[prefixOf(id).sum("")] = append(ids, id), id
	}
	u, collisions := unitSet(t, ids...), 0
	for i := range 200_000 {
		id := fmt.Sprintf("stranger-%d", i)
		if _, ok := by[prefixOf(id).sum("")]; ok {
			collisions++
		}
		if u.Has(id) {
			t.Errorf("%s is taken for a member", id)
		}
	}
	if collisions == 0 {
		t.Error("no two hashes are the same: this test proves nothing")
	}
}
