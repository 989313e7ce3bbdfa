package main

import (
	"runtime"
	"runtime/debug"

	"github.com/sluice-hq/sluice/decisions"
)

// thisBuild says what this program is, for the record of decisions. program names
// its file.
func thisBuild(program string) *decisions.Build {
	b := decisions.Build{Version: version, Program: program, Go: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return &b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return &b
}
