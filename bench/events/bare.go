package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"

	"github.com/sluice-hq/sluice/bench/serving"
)

// bare is the child that reads bodies and answers as the real one does.
func bare() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return // the sender has gone
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, `{"accepted":1000}`)
	}))
}

// startBare starts that child, and returns when it listens.
func startBare(ctx context.Context) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{Process: serving.Process{Cmd: exec.CommandContext(ctx, self, "bare")}}
	out, err := s.Cmd.StdoutPipe()
	if err == nil {
		err = s.Cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("starting the bare server: %w", err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	s.Address = "http://" + lines.Text()
	return s, nil
}
