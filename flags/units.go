package flags

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Units is a set of unit ids in memory: exact, immutable, and made of two
// pieces of memory however many ids there are. The nil set is empty.
type Units struct {
	text  string   // the ids, sorted, each followed by a line feed
	slots []uint64 // open addressing, a power of two: hash<<32 | place in text + 1; 0 is free
	count int
}

// Lists are the bulks of large lists, by the hash of the document. It is not
// changed once a Set was compiled with it.
type Lists map[event.Hash]*Units

// Pack writes ids as the document of a list: sorted, each once, one a line. It
// sorts ids in place.
func Pack(ids []string) []byte {
	slices.Sort(ids)
	ids = slices.Compact(ids)
	size := len(ids)
	for _, id := range ids {
		size += len(id)
	}
	b := make([]byte, 0, size)
	for _, id := range ids {
		b = append(append(b, id...), '\n')
	}
	return b
}

// ReadUnits reads what Pack wrote.
func ReadUnits(packed []byte) (*Units, error) {
	u := &Units{text: string(packed)}
	if u.text != "" && !strings.HasSuffix(u.text, "\n") || int64(len(u.text)) >= 1<<32-1 {
		return nil, fmt.Errorf("reading a list of units: %w: it does not end with a line", event.ErrDamaged)
	}
	u.count = strings.Count(u.text, "\n")
	u.slots = make([]uint64, table(u.count))
	for at, last := 0, ""; at < len(u.text); {
		id, _, _ := strings.Cut(u.text[at:], "\n")
		if id == "" || last != "" && id <= last {
			return nil, fmt.Errorf("reading a list of units: %w: it is not sorted at %q", event.ErrDamaged, id)
		}
		u.put(id, at)
		last, at = id, at+len(id)+1
	}
	return u, nil
}

// table returns how many slots n ids get: at most two in three are taken.
func table(n int) int {
	size := 4
	for size*2 < n*3 {
		size *= 2
	}
	return size
}

func (u *Units) put(id string, at int) {
	h := prefixOf(id).sum("")
	i := int(h) & (len(u.slots) - 1)
	for u.slots[i] != 0 {
		i = (i + 1) & (len(u.slots) - 1)
	}
	u.slots[i] = uint64(h)<<32 | uint64(at+1)
}

// Has reports whether the id is in the set.
func (u *Units) Has(id string) bool {
	if u == nil {
		return false
	}
	h := prefixOf(id).sum("")
	for i := int(h) & (len(u.slots) - 1); ; i = (i + 1) & (len(u.slots) - 1) {
		slot := u.slots[i]
		if slot == 0 {
			return false
		}
		if uint32(slot>>32) == h && u.is(int(uint32(slot))-1, id) {
			return true
		}
	}
}

// is reports whether the id stands at that place of the text.
func (u *Units) is(at int, id string) bool {
	end := at + len(id)
	return end < len(u.text) && u.text[end] == '\n' && u.text[at:end] == id
}

// Len returns how many ids there are.
func (u *Units) Len() int {
	if u == nil {
		return 0
	}
	return u.count
}

// All yields the ids in order.
func (u *Units) All() iter.Seq[string] {
	return func(yield func(string) bool) {
		if u == nil {
			return
		}
		for rest := u.text; rest != ""; {
			id, more, _ := strings.Cut(rest, "\n")
			if !yield(id) {
				return
			}
			rest = more
		}
	}
}

// WriteTo writes the document that ReadUnits read, in pieces: it may be tens of
// megabytes, and all who ask for it share the one in memory.
func (u *Units) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{strings.NewReader(u.text)})
}

// members is a UnitList ready to be asked.
type members struct{ bulk, added, without *Units }

// has reports whether the id is in the list.
func (m *members) has(id string) bool {
	return m.added.Has(id) || m.bulk.Has(id) && !m.without.Has(id)
}

// compile makes a list ready to be asked; false when its bulk is not among the
// lists.
func (l UnitList) compile(lists Lists) (members, bool) {
	m := members{added: unitsOf(l.Units), without: unitsOf(l.Without)}
	if l.Bulk == nil {
		return m, true
	}
	m.bulk = lists[l.Bulk.SHA256]
	return m, m.bulk != nil
}

// unitsOf returns the set of a few ids, nil for none.
func unitsOf(ids []string) *Units {
	if len(ids) == 0 {
		return nil
	}
	u, err := ReadUnits(Pack(slices.Clone(ids)))
	if err != nil {
		return nil // unreachable unless the log holds an empty id, which no context has either
	}
	return u
}
