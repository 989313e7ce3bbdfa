package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// progress shows how far something is: a bar that moves on a terminal, and
// nothing elsewhere.
type progress struct {
	out          *os.File
	terminal     bool
	began, shown time.Time
	rows         int64   // when it was shown first
	share        float64 // then
}

func newProgress(out *os.File) *progress {
	info, err := out.Stat()
	return &progress{out: out, terminal: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// show shows how many rows and which share of the file are done, at most ten
// times a second.
func (p *progress) show(now time.Time, rows int64, share float64) {
	switch {
	case !p.terminal || now.Sub(p.shown) < 100*time.Millisecond:
		return
	case p.began.IsZero():
		p.began, p.rows, p.share = now, rows, share
	}
	p.shown = now
	fmt.Fprintf(p.out, "\r\x1b[K%s", p.line(now.Sub(p.began), rows, share))
}

// line is what is shown: share 0 says that nobody knows how long the file is.
func (p *progress) line(since time.Duration, rows int64, share float64) string {
	text := thousands(rows) + " rows"
	if share > 0 {
		const width = 30
		full := int(share * width)
		text = fmt.Sprintf("[%s%s] %3.0f %%  %s", strings.Repeat("=", full), strings.Repeat(" ", width-full), 100*share, text)
	}
	if since < time.Second {
		return text
	}
	text += fmt.Sprintf("  %s/s", thousands(int64(float64(rows-p.rows)/since.Seconds())))
	if moved := share - p.share; moved > 0 {
		left := time.Duration(float64(since) * (1 - share) / moved)
		text += fmt.Sprintf("  %s left", left.Round(time.Second))
	}
	return text
}

// end goes on to the next line.
func (p *progress) end() {
	if !p.shown.IsZero() {
		fmt.Fprintln(p.out)
	}
}
