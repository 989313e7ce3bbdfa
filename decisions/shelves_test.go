package decisions

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a pass is about is kept by the fold, and is what a walk over everything
// finds: at every step of many lives, and after a snapshot.
func TestShelvesAreWhatAWalkFinds(t *testing.T) {
	for seed := range uint64(4) {
		w := newWalker(t, rand.New(rand.NewPCG(20261122, seed)), map[Action]int{})
		for i := range 60 {
			w.walk()
			w.house.proj.View(func(uint64) { sameShelves(t, w.house.state, seed, i) })
		}
	}
}

func sameShelves(t *testing.T, s *State, seed uint64, step int) {
	t.Helper()
	walked := &State{rollouts: s.rollouts, incidents: s.incidents}
	walked.shelve()
	if diff := cmp.Diff(walked.shelves, s.shelves, cmp.AllowUnexported(shelves{})); diff != "" {
		t.Fatalf("seed %d, step %d: -walked +kept:\n%s", seed, step, diff)
	}
	doc, err := json.Marshal(s.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	again := NewState(s.known)
	if err := again.Restore(doc); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.shelves, again.shelves, cmp.AllowUnexported(shelves{})); diff != "" {
		t.Fatalf("seed %d, step %d: -kept +restored:\n%s", seed, step, diff)
	}
}
