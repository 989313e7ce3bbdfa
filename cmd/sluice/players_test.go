package main

import (
	"math/rand/v2"
	"testing"
)

func TestPlayers_addUpToThePublishedExperiment(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	total := 0
	for _, c := range []struct {
		name             string
		counts           counts
		size, day1, day7 int
	}{
		{"gate_30", gate30, 44700, 20034, 8502},
		{"gate_40", gate40, 45489, 20119, 8279},
	} {
		all := c.counts.shuffled(r)
		var day1, day7 int
		for _, p := range all {
			if p.day1 {
				day1++
			}
			if p.day7 {
				day7++
			}
		}
		if len(all) != c.size || day1 != c.day1 || day7 != c.day7 {
			t.Errorf("%s: got %d players, %d and %d came back; want %d, %d, %d", c.name, len(all), day1, day7, c.size, c.day1, c.day7)
		}
		total += len(all)
	}
	if total != players {
		t.Errorf("got %d players, want %d", total, players)
	}
}
