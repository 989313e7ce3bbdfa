package decisions

import (
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Window is how long a stage lasts. The zero Window is "not given"; a window
// of no time cannot be written, because a gate that does not wait is no gate.
type Window time.Duration

// String returns the text form: "24h", "7d".
func (w Window) String() string { return event.Duration(w).String() }

// MarshalText implements encoding.TextMarshaler.
func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *Window) UnmarshalText(b []byte) error {
	d, err := event.ParseDuration(string(b))
	if err == nil && d == 0 {
		err = event.Invalid{Value: string(b), Why: "is no time at all", Fix: "write how long to wait, such as 24h, or leave the field out"}
	}
	*w = Window(d)
	return err
}
