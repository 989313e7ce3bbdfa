package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBounded: who sends more than 64 KiB before it is known is
// turned away.
func TestBounded(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.Config = bounded(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	s.Start()
	defer s.Close()
	for size, want := range map[int]int{60 << 10: http.StatusNoContent, 80 << 10: http.StatusRequestHeaderFieldsTooLarge} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Long", strings.Repeat("x", size))
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%d bytes of headers: got %d, want %d", size, answer.StatusCode, want)
		}
	}
}
