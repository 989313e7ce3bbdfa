package server

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// errStale says that something is not as its sender saw it.
var errStale = errors.New("it is not as you saw it")

// Precondition is what a request may ask of a flag before it changes it. It is
// exported because the API layer fills exported fields alone.
type Precondition struct {
	IfMatch string `header:"If-Match" doc:"the flag's ETag, which is its revision; * for any that exists" example:"\"12\""`
}

// expect returns the revision that the log must have when the flag is at one
// of those that the sender saw.
func (p Precondition) expect(key string, revision uint64) (event.Expect, error) {
	if p.IfMatch == "" {
		return event.Any, nil
	}
	tags, err := p.tags()
	switch {
	case err != nil:
		return 0, err
	case revision == 0:
		return 0, fmt.Errorf("%w: there is no flag %s", errStale, key)
	case slices.Contains(tags, "*"):
		return event.Any, nil
	case slices.Contains(tags, strconv.FormatUint(revision, 10)):
		return event.Expect(revision), nil
	}
	return 0, fmt.Errorf("%w: flag %s is at revision %d", errStale, key, revision)
}

// tags reads the header: * or a list of entity tags. A weak one never matches
// (RFC 9110, section 13.1.1).
func (p Precondition) tags() ([]string, error) {
	var out []string
	for part := range strings.SplitSeq(p.IfMatch, ",") {
		part = strings.TrimSpace(part)
		tag, quoted := strings.CutPrefix(part, `"`)
		tag, closed := strings.CutSuffix(tag, `"`)
		switch {
		case part == "*":
			out = append(out, part)
		case strings.HasPrefix(part, "W/"):
		case quoted && closed && tag != "" && !strings.Contains(tag, `"`) && tag != "*":
			out = append(out, tag)
		default:
			return nil, event.Invalids{{Path: "If-Match", Value: part, Why: "is not an entity tag", Fix: `write the flag's revision in quotes, such as "12", or *`}}
		}
	}
	return out, nil
}
