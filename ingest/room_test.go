package ingest_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/sluice-hq/sluice/ingest"
)

// Bodies inflate to a thousand times what came over the wire, and whoever sends
// many at once, and never their last byte, has them kept all.
func TestIntake_bodiesTogetherHaveABound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, _ := intake(1)
		in.Room = 3 << 20
		body := gzipped(t, marshal(t, exposure())+strings.Repeat(" ", 2<<20))
		wire, slow := io.Pipe()
		ended := make(chan error, 1)
		go func() {
			_, err := in.Accept(t.Context(), ingest.Request{Environment: "production", Encoding: "gzip", Body: wire}, noon)
			_ = wire.CloseWithError(io.ErrClosedPipe) // or the writer would wait for ever if that came too soon
			ended <- err
		}()
		_, _ = io.WriteString(slow, body[:len(body)-1]) // how it ended is told below
		synctest.Wait()
		if _, err := in.Accept(t.Context(), request("gzip", body), noon); !errors.Is(err, ingest.ErrBusy) {
			t.Errorf("a second body of 2 MiB beside the first: %v, want ErrBusy", err)
		}
		_, _ = io.WriteString(slow, body[len(body)-1:])
		_ = slow.Close()
		if err := <-ended; err != nil {
			t.Errorf("the first: %v", err)
		}
		for range 3 {
			if _, err := in.Accept(t.Context(), request("gzip", body), noon); err != nil {
				t.Errorf("one after the other: %v", err)
			}
		}
	})
}
