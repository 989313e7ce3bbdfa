package flags

import (
	"math"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/flags/jsonlogic"
)

// HashInput is the text that a split hashes in the place of its own salt and
// the unit's id, and whose arithmetic does it. It keeps the units of a split
// that came from elsewhere in their arms, and is never changed on a split that
// runs.
type HashInput struct {
	Salt    string  `json:"salt,omitempty" yaml:"salt,omitempty"`       // before the id, as it is; may be empty
	By      string  `json:"by" yaml:"by"`                               // attribute whose text is the id; targetingKey is the targeting key
	Joined  bool    `json:"joined,omitempty" yaml:"joined,omitempty"`   // salt and id are joined as flagd's cat does: an absent id is empty, a number written out, white space at both ends cut
	Version Foreign `json:"version,omitempty" yaml:"version,omitempty"` // whose arithmetic; empty: ours, which is flagd's second
	Of      int     `json:"of,omitempty" yaml:"of,omitempty"`           // unleash-variants: what the weights added up to there; 0: 1000
}

func (r Rule) checkHash(faults *event.Invalids) {
	switch {
	case r.Hash == nil:
	case r.Split == nil:
		faults.Add("hash", nil, "has no meaning without a split", "take it away")
	default:
		r.Hash.check("hash", faults)
	}
}

func (h *HashInput) check(path string, faults *event.Invalids) {
	if h.By == "" {
		faults.Add(path+".by", nil, "is missing", "name the attribute whose text is hashed")
	}
	if !h.Version.known() {
		faults.Add(path+".version", h.Version, "is not an arithmetic of this version", someForeign)
	}
	if h.Joined && h.Version != "" {
		faults.Add(path+".joined", nil, "has no meaning for "+string(h.Version), "take it away")
	}
	if h.Of != 0 && (h.Version != UnleashVariant || h.Of < 1 || h.Of > Whole) {
		faults.Add(path+".of", h.Of, "is not what weights of unleash-variants add up to", "take it away, or write a number from 1 to "+strconv.Itoa(Whole))
	}
}

// bucket returns the place of the context between 0 and Whole-1, and false
// when it has nothing to be hashed.
func (h *HashInput) bucket(c *Context) (int, bool) {
	if h.Version == "" {
		text, ok := h.text(c)
		return Bucket(text), ok
	}
	id, ok := h.id(c)
	if !ok {
		return 0, h.Version == LaunchDarkly && h.By != TargetingKey // who lacks the attribute is first in line there
	}
	return h.place(id), true
}

// id returns what a foreign arithmetic hashes behind the salt. FeatBit takes
// an absent attribute for an empty one.
func (h *HashInput) id(c *Context) (string, bool) {
	if h.By == TargetingKey {
		return c.TargetingKey, c.TargetingKey != ""
	}
	v := jsonlogic.ValueOf(c.Attributes[h.By])
	if v.Kind() == jsonlogic.Null {
		return "", h.Version == FeatBit
	}
	if h.passes(v) {
		return "", false
	}
	if is, ok := v.Bool(); ok && h.Version != LaunchDarkly {
		return strconv.FormatBool(is), true
	}
	text, ok := v.Written()
	return text, ok && (text != "" || h.Version == FeatBit || h.Version == LaunchDarkly)
}

// passes reports whether a foreign arithmetic passes a value over that could be
// written out: fractions LaunchDarkly's, and GrowthBook's what is false in
// JavaScript.
func (h *HashInput) passes(v jsonlogic.Value) bool {
	n, number := v.Number()
	is, truth := v.Bool()
	switch h.Version {
	case LaunchDarkly:
		return number && n != math.Trunc(n)
	case GrowthBook1, GrowthBook2:
		return number && n == 0 || truth && !is
	}
	return false
}

// text returns what our own arithmetic hashes, and whether the context has it.
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

// written is the text that is hashed, for people: salt and id, whichever way
// the arithmetic joins them.
func (h *HashInput) written(c *Context) string {
	if h.Version == "" {
		text, _ := h.text(c)
		return text
	}
	id, _ := h.id(c)
	if h.Version == GrowthBook1 {
		return id + h.Salt
	}
	return h.Salt + id
}
