package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/sluice-hq/sluice/internal/engine"
)

// motor is the engine's child while this process runs it.
type motor struct {
	*engine.Supervisor
	stop func() error
}

// startEngine starts the embedded engine on data, and returns when it answers.
func startEngine(ctx context.Context, lib, data string, lg *slog.Logger) (*motor, error) {
	executable, _ := os.Executable() // empty when unknown: then it is not looked at
	dir, _ := os.Getwd()
	library, err := engine.Find(engine.Places{Given: lib, Executable: executable, Dir: dir, Data: data})
	if err != nil {
		return nil, err
	}
	socket, err := socketIn(data)
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(filepath.Join(data, "clickhouse")) // the engine looks for parts of a relative path below that path
	if err != nil {
		return nil, fmt.Errorf("finding the engine's folder: %w", err)
	}
	m := &motor{Supervisor: &engine.Supervisor{Library: library, Path: path, Socket: socket, Logger: lg}}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- m.Run(life) }()
	m.stop = func() error {
		stop()
		<-ended // why it gave up, if it did, Wait has said
		return removeSocket(data, socket)
	}
	if err := m.Wait(ctx); err != nil {
		return nil, errors.Join(err, m.stop())
	}
	return m, nil
}

// socketIn names the engine's socket. It lies with the data, so that a process
// that was killed leaves nothing behind that its successor does not replace;
// where that path is longer than a socket's may be, in a folder of our own.
func socketIn(data string) (string, error) {
	const name = "engine.sock"
	if path := filepath.Join(data, name); len(path) <= engine.SocketMax {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "sluice-")
	if err != nil {
		return "", fmt.Errorf("making a folder for the engine's socket: %w", err)
	}
	return filepath.Join(dir, name), nil
}

// removeSocket removes what socketIn made.
func removeSocket(data, path string) error {
	if filepath.Dir(path) == filepath.Clean(data) {
		return os.RemoveAll(path)
	}
	return os.RemoveAll(filepath.Dir(path))
}
