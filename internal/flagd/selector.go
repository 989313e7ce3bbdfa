package flagd

import (
	"fmt"
	"net/http"
	"strings"
)

// selectorHeader says which flags a client means. flagd selects by flag set
// or by source; a flag set here is an environment, and there are no sources.
const selectorHeader = "Flagd-Selector"

// Environment returns the environment that the headers of a request name, ""
// when they name none, or nothing that could be one: then Serve refuses it.
func Environment(h http.Header) string {
	name, _ := parseSelector(h.Get(selectorHeader))
	return name
}

// parseSelector returns the environment that a selector names, "" for an empty
// one. A bare word means a source to flagd; since there are no sources here, it
// is taken for an environment.
func parseSelector(selector string) (string, error) {
	key, value, pair := strings.Cut(selector, "=")
	switch {
	case selector == "" || !pair:
		return selector, nil
	case key != "flagSetId":
		return "", fmt.Errorf("the selector %q selects by %q; select an environment: flagSetId=production", selector, key)
	case value == "":
		return "", fmt.Errorf("the selector %q asks for flags of no set; each belongs to an environment: flagSetId=production", selector)
	}
	return value, nil
}
