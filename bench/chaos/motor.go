package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/sluice-hq/sluice/internal/engine"
)

// motor is an engine that this program runs, apart from that of the process
// that is killed.
type motor struct {
	*engine.Supervisor
	stop func()
}

// startMotor starts an engine on a folder. binary is the program that holds
// the engine as its child does; "": this one.
func startMotor(ctx context.Context, binary, path string) (motor, error) {
	library, err := engine.Find(engine.Places{Dir: ".", Executable: binary, Data: path})
	if err != nil {
		return motor{}, err
	}
	dir, err := os.MkdirTemp("", "chaos-") // path may be too long for a socket's
	if err != nil {
		return motor{}, err
	}
	s := &engine.Supervisor{Library: library, Path: path, Socket: filepath.Join(dir, "engine.sock")}
	if binary != "" {
		s.Command = []string{binary, "engine"}
	}
	life, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(life) }()
	m := motor{s, func() {
		end()
		<-ended // why it gave up, if it did, Wait has said
		_ = os.RemoveAll(dir)
	}}
	if err := s.Wait(ctx); err != nil {
		m.stop()
		return motor{}, err
	}
	return m, nil
}
