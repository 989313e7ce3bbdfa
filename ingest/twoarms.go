package ingest

import (
	"fmt"
	"slices"
	"time"
)

// Cause is why a unit probably met two arms of one epoch. The arm follows from
// the unit's id alone, so that whoever evaluated the flag had another id, or
// another evaluator, than the exposure says.
type Cause string

// The causes.
const (
	UnstableID Cause = "unstableUnitId" // the id that was evaluated changes from one time to the next
	Login      Cause = "login"          // it changed once
	Replayed   Cause = "replayed"       // one arm's exposures arrived long after they happened
	Senders    Cause = "senders"        // each arm comes from SDKs of its own
	OtherCause Cause = "other"          // the exposures do not tell
)

// Meeting is one exposure of a unit, as far as it says why there are two arms.
type Meeting struct {
	At       time.Time `json:"at"`
	Received time.Time `json:"received"`
	Arm      string    `json:"arm"`
	Reason   string    `json:"reason,omitempty"`
	SDK      string    `json:"sdk,omitempty"`
	Revision uint64    `json:"revision,omitempty"`
}

// TwoArms is a unit that saw two arms in one epoch of a rollout: it is in no
// number of a readout but in that of its like.
type TwoArms struct {
	Epoch     int       `json:"epoch"`
	Kind      string    `json:"kind" doc:"of the unit"`
	Unit      string    `json:"unit" doc:"keyed hash of its id" example:"hash:00c0ffee00c0ffee"`
	Exposures int64     `json:"exposures"`
	Cause     Cause     `json:"cause" enum:"unstableUnitId,login,replayed,senders,other" doc:"likely one"`
	Why       string    `json:"why"`
	Met       []Meeting `json:"met" doc:"its first exposures, oldest first, 100 at most"`
}

// UnitText returns how a unit is written where its id is not known: in
// letters, lists and exports.
func UnitText(unit uint64) string { return hashedText(unit) }

// ParseUnit reads what UnitText wrote.
func ParseUnit(text string) (uint64, bool) { return parseHashed(text) }

// longAgo is how long an exposure may be on its way without looking as if it
// had been sent again.
const longAgo = time.Hour

// LikelyCause reads a unit's exposures, oldest first, and says why it probably
// met two arms. What is surest is asked first.
func LikelyCause(met []Meeting) (Cause, string) {
	switch {
	case replayed(met):
		return Replayed, "the exposures of one arm arrived more than an hour after they happened: a queue or a log was sent again, or a clock is wrong"
	case senders(met):
		return Senders, "each arm comes from SDKs of its own: they hash other ids, or are given other rules"
	}
	switch n := switches(met); {
	case n > 1:
		return UnstableID, fmt.Sprintf("the arm changed %d times: the id that the flag is evaluated with is not the unit of the exposures, and is made anew", n)
	case n == 1 && chanceOfOne(len(met)) <= mostChance:
		return Login, "one arm until " + change(met).Format(time.RFC3339) + " and the other one since: the flag was evaluated with another id then, as before and after a login"
	}
	return OtherCause, "too few exposures to tell"
}

// mostChance bounds the chance that an id which changes all the time looks as
// if it had changed once.
const mostChance = 0.3

// chanceOfOne is the chance that n tosses of a coin, of which not all are
// equal, change sides once: 2(n-1) of 2^n-2 sequences.
func chanceOfOne(n int) float64 {
	if n < 2 || n > 60 {
		return 0
	}
	return float64(2*(n-1)) / float64(uint64(1)<<n-2)
}

func switches(met []Meeting) (n int) {
	for i := 1; i < len(met); i++ {
		if met[i].Arm != met[i-1].Arm {
			n++
		}
	}
	return n
}

// change returns when the arm changed first.
func change(met []Meeting) time.Time {
	for i := 1; i < len(met); i++ {
		if met[i].Arm != met[i-1].Arm {
			return met[i].At.UTC()
		}
	}
	return time.Time{}
}

// replayed reports whether all exposures of one arm were long on their way, and
// none of another.
func replayed(met []Meeting) bool {
	late, fresh := map[string]bool{}, map[string]bool{}
	for _, m := range met {
		if m.Received.Sub(m.At) > longAgo {
			late[m.Arm] = true
		} else {
			fresh[m.Arm] = true
		}
	}
	for arm := range late {
		if !fresh[arm] && len(fresh) > 0 {
			return true
		}
	}
	return false
}

// senders reports whether no SDK sent two arms, and all are named.
func senders(met []Meeting) bool {
	arms := map[string][]string{}
	for _, m := range met {
		if m.SDK == "" {
			return false
		}
		if !slices.Contains(arms[m.SDK], m.Arm) {
			arms[m.SDK] = append(arms[m.SDK], m.Arm)
		}
	}
	for _, of := range arms {
		if len(of) > 1 {
			return false
		}
	}
	return len(arms) > 1
}
