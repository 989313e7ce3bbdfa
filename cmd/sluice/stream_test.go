package main

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/internal/server"
)

// TestServe_endsItsStreamsAtOnce: open streams do not hold up a house that
// shuts down.
func TestServe_endsItsStreamsAtOnce(t *testing.T) {
	s := stand(t, config{Data: t.TempDir(), Roles: roles{server.Flags}})
	q, err := http.NewRequest(http.MethodGet, s.address()+"/api/v1/stream?environment=production", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+s.token)
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewReader(answer.Body)
	for line := ""; !strings.HasPrefix(line, "event: put"); {
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	s.stop() // what waits for a stream does so for ever, or says that its time was up
}
