package decisions

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAstray(t *testing.T) {
	r := Rollout{Plan: Plan{Unit: "user"}}
	if got := r.Astray(Evidence{}); got != nil {
		t.Errorf("nothing is astray, got %v", got)
	}
	want := []string{"12 exposures are of units of the kind account and count nowhere: the rollout assigns user. Send them with the user that the flag was evaluated for, or give the flag the unit account before its next rollout"}
	if diff := cmp.Diff(want, r.Astray(Evidence{Strays: []Stray{{Kind: "account", Exposures: 12}}})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// The stored shape of strays stays as it is, and evidence without them is what
// it was.
func TestStray_recorded(t *testing.T) {
	const recorded = `[{"kind":"account","exposures":12}]`
	var s []Stray
	if err := json.Unmarshal([]byte(recorded), &s); err != nil || len(s) != 1 || s[0] != (Stray{"account", 12}) {
		t.Errorf("read %+v, %v", s, err)
	}
	if got, err := json.Marshal(s); err != nil || string(got) != recorded {
		t.Errorf("written again: %s, %v", got, err)
	}
	var members map[string]any
	doc, err := json.Marshal(Evidence{})
	if err == nil {
		err = json.Unmarshal(doc, &members)
	}
	if _, there := members["strays"]; err != nil || there {
		t.Errorf("evidence without strays is %s, %v", doc, err)
	}
}
