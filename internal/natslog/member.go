package natslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/nats-io/nats-server/v2/server"
)

// Member is one server of a NATS cluster, run where there is no other program
// to run one with. File is required.
type Member struct {
	File   string       // what it does, in NATS's own language
	Alive  io.Reader    // when it ends, the server ends; nil is not watched
	Ready  io.Writer    // gets ReadyLine once the server takes connections; nil is not told
	Logger *slog.Logger // nil: silent
}

// ReadyLine is what a Member says when it is ready.
const ReadyLine = "ready"

// Serve runs the server until ctx is done or Alive ends. It refuses a file
// whose server would answer before it has written.
func (m Member) Serve(ctx context.Context) error {
	o, err := server.ProcessConfigFile(m.File)
	if err != nil {
		return fmt.Errorf("reading %s: %w", m.File, err)
	}
	if !o.JetStream || !o.SyncAlways {
		return fmt.Errorf("%s: write jetstream { sync_interval: always }, without which a server answers before it has written", m.File)
	}
	o.NoSigs, o.NoLog, o.DisableJetStreamBanner = true, true, true
	srv, err := server.NewServer(o)
	if err != nil {
		return fmt.Errorf("preparing the server of %s: %w", m.File, err)
	}
	voice := &voice{lg: Config{Logger: m.Logger}.logger()}
	srv.SetLoggerV2(voice, false, false, false)
	srv.Start()
	defer func() { srv.Shutdown(); srv.WaitForShutdown() }()
	if !srv.ReadyForConnections(startWait) {
		return errors.Join(fmt.Errorf("the server of %s did not start", m.File), voice.reason())
	}
	if m.Ready != nil {
		fmt.Fprintln(m.Ready, ReadyLine)
	}
	m.wait(ctx)
	return nil
}

// wait returns when ctx is done or Alive ends.
func (m Member) wait(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if m.Alive != nil {
		go func() {
			defer stop()
			_, _ = io.Copy(io.Discard, m.Alive) // only its end matters
		}()
	}
	<-ctx.Done()
}
