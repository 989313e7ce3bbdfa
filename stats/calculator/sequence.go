package calculator

import (
	"github.com/sluice-hq/sluice/stats"
	"github.com/sluice-hq/sluice/stats/groupseq"
)

// sequenceJSON is the looks of a comparison at planned times, named as in
// boundary.
type sequenceJSON struct {
	Information []float64 `json:"information"`
	Spending    string    `json:"spending"`
	Rho         *float64  `json:"rho"`
	Gamma       *float64  `json:"gamma"`
	Design      string    `json:"design"`
	Looks       *int      `json:"looks"`
}

// looked is what an answer has beside the others at a planned look.
type looked struct {
	Critical float64 `json:"z_critical"` // that the statistic has to reach
	Spent    float64 `json:"spent"`      // error used up by the looks so far
	Crossed  bool    `json:"crossed"`
}

// sequence returns the looks, nil where there are none to speak of.
func (q sequenceJSON) sequence(i stats.Inference) (*stats.Sequence, *stats.Refusal) {
	named := q.Information != nil || q.Spending != "" || q.Rho != nil || q.Gamma != nil || q.Design != "" || q.Looks != nil
	switch {
	case i != stats.GroupSequential && named:
		return nil, bad("information", "looks at planned times are of the inference group-sequential")
	case i != stats.GroupSequential:
		return nil, nil
	case q.Rho != nil && q.Spending != string(groupseq.Power):
		return nil, bad("rho", "is of the spending power")
	case q.Gamma != nil && q.Spending != string(groupseq.HSD):
		return nil, bad("gamma", "is of the spending hsd")
	case q.Looks != nil && q.Design == "":
		return nil, bad("looks", "are those planned of a design; spending needs none")
	}
	s := stats.Sequence{Information: q.Information, Design: q.Design, Spending: groupseq.Spending{Family: groupseq.Family(q.Spending), Rho: or(given(q.Rho), 2)}}
	if q.Gamma != nil {
		s.Spending.Gamma = *q.Gamma
	}
	if q.Looks != nil {
		s.Looks = *q.Looks
	}
	return &s, nil
}
