package flags

import (
	"fmt"

	"github.com/sluice-hq/sluice/event"
)

// portion is a compiled leaf that asks whether the place of a unit lies in a
// range: the percentages that other programs have in their rules and segments.
type portion struct {
	hash     *HashInput
	from, to int // from is in it, to is not
}

func (p *portion) has(c *Context) bool {
	b, ok := p.hash.bucket(c)
	return ok && p.from <= b && b < p.to
}

// shared compiles a leaf that asks for a range of places.
func (n *node) shared(c *Condition, faults *event.Invalids) {
	n.about = aPortion
	if c.Attribute != "" {
		faults.Add("attribute", c.Attribute, "has no meaning for bucket: hash.by says what is hashed", "take it away")
	}
	if c.IgnoreCase {
		faults.Add("ignoreCase", nil, "has no meaning for bucket", "take it away")
	}
	if c.Hash == nil {
		faults.Add("hash", nil, "is missing", "say what is hashed: {by: targetingKey, salt: …}")
	} else {
		c.Hash.check("hash", faults)
	}
	from, to, ok := c.Between()
	if !ok {
		faults.Add("values", nil, "is not a range of places", fmt.Sprintf("write where it begins and where it ends, two whole numbers from 0 to %d", Whole))
	}
	n.portion = &portion{hash: c.Hash, from: from, to: to}
}

// Between returns the two ends of the range of places that a bucket condition
// asks for, and false when they are none.
func (c *Condition) Between() (from, to int, ok bool) {
	if c.Value != nil || len(c.Values) != 2 {
		return 0, 0, false
	}
	a, b := scalarOf(c.Values[0]), scalarOf(c.Values[1])
	from, to = int(a.number), int(b.number)
	whole := a.kind == number && b.kind == number && float64(from) == a.number && float64(to) == b.number
	return from, to, whole && 0 <= from && from <= to && to <= Whole
}

// String says what is hashed, for people.
func (h *HashInput) String() string {
	if h.Version == "" {
		return fmt.Sprintf("bucket of %q + %s", h.Salt, h.By)
	}
	return fmt.Sprintf("%s bucket of %q + %s", h.Version, h.Salt, h.By)
}
