package main

import (
	"errors"
	"testing"
	"time"
)

// TestPart_graceOfAnElection: what is unwell for a moment is not gone, and what
// was well in between begins anew.
func TestPart_graceOfAnElection(t *testing.T) {
	p := part[int]{name: "p", fix: "f", held: true, grace: 20 * time.Second}
	start, gone := now(), errors.New("no leader")
	for _, c := range []struct {
		from, to time.Duration // of a check
		err      error
		there    bool
	}{
		{0, 10 * time.Second, gone, true},
		{12 * time.Second, 13 * time.Second, nil, true},
		{15 * time.Second, 25 * time.Second, gone, true},
		{27 * time.Second, 34 * time.Second, gone, true},
		{36 * time.Second, 46 * time.Second, gone, false},
		{48 * time.Second, 49 * time.Second, nil, true},
	} {
		p.judge(c.err, start.Add(c.from), start.Add(c.to))
		if _, err := p.get(); (err == nil) != c.there || err != nil && !errors.Is(err, gone) {
			t.Errorf("after %v: %v, want it there: %t", c.to, err, c.there)
		}
	}
	impatient := part[int]{held: true}
	impatient.judge(gone, start, start)
	if _, err := impatient.get(); err == nil {
		t.Error("without grace it is still there")
	}
}
