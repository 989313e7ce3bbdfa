package warehouse

import "testing"

func TestManifest_mergeFrom(t *testing.T) {
	for _, c := range []struct {
		rows  []uint64
		first int
		ok    bool
	}{
		{nil, 0, false},
		{[]uint64{5}, 1, false},
		{[]uint64{5, 5, 5, 5}, 0, false},
		{[]uint64{5, 5, 5, 5, 5, 5, 5, 5}, 0, true},
		{[]uint64{1000, 5, 5, 5, 5, 5, 5, 5, 5}, 1, true}, // the large one stays as it is
		{[]uint64{100, 5, 5, 5, 5, 5, 5, 5, 5}, 0, true},
	} {
		var m manifest
		for _, n := range c.rows {
			m.Leaves = append(m.Leaves, leaf{Rows: n})
		}
		if first, ok := m.mergeFrom(); ok != c.ok || ok && first != c.first {
			t.Errorf("%v: got %d, %v, want %d, %v", c.rows, first, ok, c.first, c.ok)
		}
	}
}
