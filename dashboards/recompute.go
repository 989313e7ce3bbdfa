package dashboards

import (
	"fmt"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
)

// proofOfRecord says whether a decision follows from its record alone.
func proofOfRecord(r decisions.Recomputed) Proof {
	p := Proof{Name: "From the record alone", Mark: Passed, Text: "The recorded evidence gives the recorded verdict, to the last bit: " + sentence(string(r.Verdict.Action)+", "+string(r.Verdict.Reason))}
	if !r.Same || len(r.Faults) > 0 {
		p.Mark, p.Text = Failed, sentence(strings.TrimSpace(r.Why+" "+strings.Join(r.Faults, ". ")))
	}
	return p
}

// proofOfChain says whether the decision stands in the log as it was written.
func proofOfChain(v decisions.Proven) Proof {
	p := Proof{Name: "In the log", Mark: Passed, Text: "The chain of hashes is whole from its start to this event, and the decision had the one effect that it asks for."}
	switch {
	case !v.OK():
		p.Mark, p.Text = Failed, sentence(strings.TrimSpace(strings.Join([]string{v.Chain, v.Record, v.Effect}, " ")))
	case v.Pending:
		p.Text = "The chain of hashes is whole from its start to this event; the effect of the decision is still to come."
	}
	return p
}

// proofOfData says what the data of today make of a decision whose verdict was
// recorded.
func proofOfData(r decisions.Recounted, recorded decisions.Verdict) Proof {
	p := Proof{Name: "From today's data at the same watermark", Mark: Passed, Text: "Every number is the recorded one."}
	if r.Late {
		p = Proof{Name: "With what has arrived since", Mark: Passed, Text: "Nothing has arrived that changes a number."}
	}
	for _, d := range r.Differences {
		p.Differences = append(p.Differences, Differing{d.Of, d.Recorded, d.Now, d.Change})
	}
	switch {
	case r.Same:
	case r.SameVerdict || r.Verdict.Action == recorded.Action && r.Verdict.Reason == recorded.Reason && r.Verdict.Stage == recorded.Stage:
		p.Text = fmt.Sprintf("%s The verdict is the same.", differ(len(r.Differences)))
	default:
		p.Text = fmt.Sprintf("%s They would have given: %s", differ(len(r.Differences)), sentence(string(r.Verdict.Action)+", "+string(r.Verdict.Reason)))
	}
	if !r.Same && !r.Late {
		p.Mark = Failed // at the watermark nothing may differ
	}
	return p
}

func differ(n int) string {
	if n == 1 {
		return "One number differs."
	}
	return count(int64(n)) + " numbers differ."
}

// Made adds what came out when a decision was made again.
func (r Recompute) Made(record decisions.Recomputed, chain *decisions.Proven, today, late *decisions.Recounted) Recompute {
	r.Proofs = append(r.Proofs, proofOfRecord(record))
	if chain != nil {
		r.Proofs = append(r.Proofs, proofOfChain(*chain))
	}
	for _, counted := range []*decisions.Recounted{today, late} {
		if counted != nil {
			r.Proofs = append(r.Proofs, proofOfData(*counted, record.Verdict))
		}
	}
	return r
}
