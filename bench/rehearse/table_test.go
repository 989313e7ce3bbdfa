package main

import (
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/decisions/rehearsal"
)

// A share beyond what is promised by more than two standard errors is marked and
// makes the command fail; one within them, or of which nothing is promised, is
// not.
func TestTheTableIsAGate(t *testing.T) {
	for _, tt := range []struct {
		row
		rollbacks, ships, calm int
		faults                 string
	}{
		{row{harmless: true, unfit: true}, 63, 63, 0, ""},
		{row{harmless: true}, 64, 1000, 0, "false rollbacks: 0.0640 exceeds 0.0638"},
		{row{unfit: true}, 1000, 64, 0, "false ships: 0.0640 exceeds 0.0638"},
		{row{}, 1000, 1000, 0, ""},
		{row{calm: true}, 0, 0, 775, ""},
		{row{calm: true}, 0, 0, 774, "only 0.7740 come to their end undisturbed"},
	} {
		b := bench{seeds: rehearsal.Seeds{Count: 1000}}
		cells := strings.Join(b.cells(tt.row, rehearsal.Summary{Runs: 1000, Rollbacks: tt.rollbacks, Ships: tt.ships, Undisturbed: tt.calm}), " ")
		found := strings.Join(b.faults, "; ")
		if !strings.Contains(found, tt.faults) || (found == "") != (tt.faults == "") || strings.Contains(cells, "!") != (found != "") {
			t.Errorf("%+v: %q with %q", tt, found, cells)
		}
	}
}
