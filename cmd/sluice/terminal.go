package main

import (
	"bytes"
	"io"
	"unicode"
)

// terminal writes text for people to a terminal. Names come from whoever sends
// events, and characters in them that command a terminal are shown as none.
type terminal struct{ to io.Writer }

// Write implements io.Writer.
func (t terminal) Write(b []byte) (int, error) {
	if _, err := t.to.Write(bytes.Map(harmless, b)); err != nil {
		return 0, err
	}
	return len(b), nil
}

func harmless(r rune) rune {
	if unicode.IsControl(r) && r != '\n' && r != '\t' {
		return unicode.ReplacementChar
	}
	return r
}
