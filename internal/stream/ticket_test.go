package stream

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"
)

func TestTickets(t *testing.T) {
	tickets := Tickets{Key: []byte("a key of the test")}
	at := time.Date(2026, 11, 1, 9, 10, 0, 0, time.UTC)
	text := tickets.Issue("production", at)
	environment, end, err := tickets.Check(text, at)
	if err != nil || environment != "production" || !end.Equal(at.Truncate(Window).Add(2*Window)) {
		t.Fatalf("got %q, %v, %v", environment, end, err)
	}
	if again := tickets.Issue("production", at.Add(49*time.Minute)); again != text {
		t.Error("within one window the ticket has changed")
	}
	if again := tickets.Issue("production", at.Add(50*time.Minute)); again == text {
		t.Error("in the next window the ticket is the same")
	}
	if _, _, err := tickets.Check(text, end.Add(-1)); err != nil {
		t.Errorf("just before its end: %v", err)
	}
	refused := map[string]error{}
	_, _, refused["ended"] = tickets.Check(text, end)
	_, _, refused["of another installation"] = Tickets{Key: []byte("another key")}.Check(text, at)
	_, _, refused["without a key"] = Tickets{}.Check(Tickets{}.Issue("production", at), at)
	_, _, refused["empty"] = tickets.Check("", at)
	_, _, refused["no base64"] = tickets.Check("§", at)
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	for i := range raw {
		raw[i] ^= 1
		if _, _, err := tickets.Check(base64.RawURLEncoding.EncodeToString(raw), at); !errors.Is(err, ErrTicket) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		raw[i] ^= 1
	}
	for name, err := range refused {
		if !errors.Is(err, ErrTicket) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseETag(t *testing.T) {
	for text, want := range map[string]uint64{ETag(42): 42, "42": 42, `"42`: 0, "": 0, Renew: 0, "-1": 0} {
		if got, ok := ParseETag(text); got != want || ok != (want > 0) {
			t.Errorf("ParseETag(%q) = %d, %v", text, got, ok)
		}
	}
}
