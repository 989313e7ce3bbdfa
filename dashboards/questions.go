package dashboards

import (
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/decisions"
)

// Question is what the store was asked, and what for.
type Question struct {
	ID     Anchor
	Of     string // "units", or metrics
	SQL    string
	Params string // as JSON
	Hash   string
}

// questions lists the queries behind numbers in their order.
func questions(all []decisions.Query) []Question {
	out := make([]Question, len(all))
	for i, q := range all {
		out[i] = Question{ID: Anchor("query-" + strconv.Itoa(i+1)), Of: strings.Join(q.Of, ", "), SQL: q.SQL, Params: string(q.Params), Hash: q.Hash.String()}
	}
	return out
}
