package decisions

import (
	"cmp"
	"strings"
)

// Build names the program that made a decision, so that whoever recomputes it
// later knows which code to compare with. No verdict asks it.
type Build struct {
	Version  string `json:"version,omitempty"`  // as the release is called
	Revision string `json:"revision,omitempty"` // commit of the source tree
	Modified bool   `json:"modified,omitempty"` // the tree had changes beside the commit
	Program  string `json:"program,omitempty"`  // hash of the program's file, which tells builds of one commit apart
	Go       string `json:"go,omitempty"`       // compiler, and the processor it compiled for
}

// String writes the build in a line: "1.4.0, revision 3f2a91c, program 9b1c…".
func (b Build) String() string {
	parts := []string{cmp.Or(b.Version, "unnamed version")}
	if b.Revision != "" {
		parts = append(parts, "revision "+b.Revision)
	}
	if b.Modified {
		parts = append(parts, "with changes beside it")
	}
	if b.Program != "" {
		parts = append(parts, "program "+b.Program)
	}
	if b.Go != "" {
		parts = append(parts, b.Go)
	}
	return strings.Join(parts, ", ")
}
