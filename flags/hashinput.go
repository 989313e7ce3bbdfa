package flags

import (
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags/jsonlogic"
)

// HashInput is the text that a split hashes in the place of its own salt and
// the unit's id. It keeps the units of a split that came from elsewhere in
// their arms, and is never changed on a split that runs.
type HashInput struct {
	Salt   string `json:"salt,omitempty" yaml:"salt,omitempty"`     // before the id, as it is; may be empty
	By     string `json:"by" yaml:"by"`                             // attribute whose text is the id; targetingKey is the targeting key
	Joined bool   `json:"joined,omitempty" yaml:"joined,omitempty"` // salt and id are joined as flagd's cat does: an absent id is empty, a number written out, white space at both ends cut
}

func (r Rule) checkHash(faults *event.Invalids) {
	switch {
	case r.Hash == nil:
	case r.Split == nil:
		faults.Add("hash", nil, "has no meaning without a split", "take it away")
	case r.Hash.By == "":
		faults.Add("hash.by", nil, "is missing", "name the attribute whose text is hashed")
	}
}

// text returns what is hashed, and whether the context has it.
func (h *HashInput) text(c *Context) (string, bool) {
	id := jsonlogic.TextOf(c.TargetingKey)
	if h.By != TargetingKey {
		id = jsonlogic.ValueOf(c.Attributes[h.By])
	}
	if !h.Joined {
		text, ok := id.Text()
		return h.Salt + text, ok && (text != "" || h.By != TargetingKey)
	}
	text, ok := id.Written()
	return strings.TrimSpace(h.Salt + text), ok
}
