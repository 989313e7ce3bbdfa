package ingest

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Space is how much of a disk there is, in bytes.
type Space struct {
	Free  uint64 `json:"free"`
	Total uint64 `json:"total"`
}

// Floor is how much of a disk stays free of facts: the larger of the two. The
// zero Floor keeps nothing free. Its text form is "5%,2GiB", "10GiB" or "none".
type Floor struct {
	Share Share
	Bytes uint64
}

// StandardFloor leaves room for the log, for merges of the engine and for
// somebody to do something about it.
func StandardFloor() Floor { return Floor{Share: 50_000, Bytes: 2 << 30} }

// short says what is wrong with a disk, "" when there is more free than the
// floor.
func (f Floor) short(s Space) string {
	if least := max(f.Bytes, uint64(f.Share.Float()*float64(s.Total))); s.Free < least {
		return fmt.Sprintf("the disk has %s free of %s, and %s are kept free", size(s.Free), size(s.Total), size(least))
	}
	return ""
}

// units are those of sizes, the largest first.
var units = []struct {
	name string
	n    uint64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}

// size writes bytes for people.
func size(n uint64) string {
	for _, u := range units {
		if n >= u.n {
			return strings.TrimSuffix(strconv.FormatFloat(float64(n)/float64(u.n), 'f', 1, 64), ".0") + " " + u.name
		}
	}
	return fmt.Sprintf("%d bytes", n)
}

// MarshalText implements encoding.TextMarshaler.
func (f Floor) MarshalText() ([]byte, error) {
	var parts []string
	if f.Share > 0 {
		parts = append(parts, f.Share.String())
	}
	if f.Bytes > 0 {
		parts = append(parts, strings.ReplaceAll(size(f.Bytes), " ", ""))
	}
	if len(parts) == 0 {
		return []byte("none"), nil
	}
	return []byte(strings.Join(parts, ",")), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Floor) UnmarshalText(b []byte) error {
	var floor Floor
	for part := range strings.SplitSeq(string(b), ",") {
		if string(b) == "none" {
			break
		}
		err := floor.read(strings.TrimSpace(part))
		if err != nil {
			return event.Invalid{Value: string(b), Why: "is not what a disk can keep free", Fix: "write a share, a size or both, such as 5%,2GiB; or none"}
		}
	}
	*f = floor
	return nil
}

func (f *Floor) read(part string) error {
	if strings.HasSuffix(part, "%") {
		return f.Share.UnmarshalText([]byte(part))
	}
	for _, u := range units {
		if digits, ok := strings.CutSuffix(part, u.name); ok {
			n, err := strconv.ParseUint(digits, 10, 32)
			f.Bytes = n * u.n
			return err
		}
	}
	return strconv.ErrSyntax
}
