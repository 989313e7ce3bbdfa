package ingest

import (
	"cmp"
	"fmt"
	"time"
)

// CodeDefault is exposures of one flag that no rule of the flag explains: the
// evaluation failed, or the flag was off, or was not known where it was
// evaluated, and the unit met a variant that is not the safe one. It is the
// default in the code that differs: what a rollback cannot reach.
type CodeDefault struct {
	SDK       SDK       `json:"sdk" doc:"as exposures name it; empty: they do not"`
	Variant   string    `json:"variant" doc:"what units met"`
	Safe      string    `json:"safe" doc:"what they should have met"`
	Reason    string    `json:"reason" doc:"of the evaluations: ERROR, DISABLED, or DEFAULT without a revision"`
	Exposures int64     `json:"exposures"`
	Units     int64     `json:"units"`
	Newest    time.Time `json:"newest"`
}

// Text says what is wrong and what to do.
func (c CodeDefault) Text() string {
	name := cmp.Or(c.SDK.Name, "a sender that does not name its SDK")
	if c.SDK.Version != "" {
		name += " " + c.SDK.Version
	}
	why := map[string]string{
		"ERROR": "evaluations failed", "DISABLED": "the flag was off", "DEFAULT": "the flag was not known there",
	}[c.Reason]
	return fmt.Sprintf("%s gave %d units %s where %s; the safe variant is %s. Give the evaluation in that code the default %s",
		name, c.Units, c.Variant, why, c.Safe, c.Safe)
}
