package engine

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"
)

func (s *Supervisor) patience() time.Duration {
	if s.Patience == 0 {
		return 5 * time.Minute
	}
	return s.Patience
}

// watchOver kills a child that hangs, until ctx is done. A call into the
// library that never returns cannot be taken back, and keeps its handle: with
// all handles gone the engine is alive and answers nobody. What it was doing is
// repeated by whoever asked, as after a crash.
func (s *Supervisor) watchOver(ctx context.Context, child *os.Process) {
	for sleep(ctx, s.patience()/10) {
		err := s.ask(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		s.logger().Error("engine does not answer, ending it", "pid", child.Pid, "error", err)
		_ = child.Kill() // it may have ended meanwhile
		return
	}
}

// ask puts a statement to a writer's and to a reader's handle. Any answer will
// do, also a refusal for want of memory.
func (s *Supervisor) ask(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, s.patience())
	defer stop()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return s.Dial(ctx, network, addr)
	}}
	defer transport.CloseIdleConnections()
	for _, settings := range []string{"", "&readonly=1"} {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/?query=SELECT+1"+settings, nil)
		if err != nil {
			return err
		}
		answer, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		answer.Body.Close()
	}
	return nil
}
