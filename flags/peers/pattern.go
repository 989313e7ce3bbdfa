package peers

import (
	"fmt"
	"regexp"

	"github.com/sluice-hq/sluice/flags"
)

// StrictVersion is what most peers take for a version: three numbers, and no v.
const StrictVersion = `^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`

// Pattern asks for a regular expression of RE2. Any other is an error: the
// peers' SDKs take those of their language, so that one with look-around matches
// in some, and an SDK that cannot read it is met by nobody.
func Pattern(attribute, expression string) (Cond, error) {
	if _, err := regexp.Compile(expression); err != nil {
		return Never, fmt.Errorf("has a regular expression that is not one of RE2: %w", err)
	}
	return Test(attribute, flags.Regex, expression), nil
}
