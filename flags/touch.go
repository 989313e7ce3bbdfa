package flags

import (
	"encoding/json"
	"slices"

	"github.com/sluice-hq/sluice/event"
)

// Touches returns the environments that an event of a flag says something of,
// each once and sorted; nil is all of them, as of a change of what they share.
func Touches(r event.Recorded) []string {
	var d waitingData // the fields that the data of all types have in common
	if json.Unmarshal(r.Data, &d) != nil {
		return nil
	}
	var out []string
	for _, c := range changesOf(d.Changes) {
		e := c.Reaches()
		if e == "" {
			return nil
		}
		out = append(out, e)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
