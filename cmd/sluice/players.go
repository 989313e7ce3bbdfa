package main

import "math/rand/v2"

// player is one person of the Cookie Cats experiment, reduced to what its two
// retention metrics need.
type player struct {
	day1, day7 bool // came back on that day
}

// counts of players by (retention_1, retention_7): FF, FT, TF, TT.
type counts [4]int

// The published Cookie Cats experiment (Tactile, 2017): the first gate at
// level 30 or at level 40, 90,189 players. Eight counts say everything there
// is about retention.
var (
	gate30 = counts{22840, 1826, 13358, 6676}
	gate40 = counts{23597, 1773, 13613, 6506}
)

// players is how many there are in both arms.
const players = 90189

// shuffled expands counts to players in random order.
func (c counts) shuffled(r *rand.Rand) []player {
	var all []player
	for i, n := range c {
		for range n {
			all = append(all, player{day1: i >= 2, day7: i%2 == 1})
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}
