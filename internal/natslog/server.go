package natslog

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// startWait bounds the start of the embedded server, which may have to read
// every message of every stream after a crash.
const startWait = 5 * time.Minute

// streamsDir is where the embedded server keeps its streams: one account, no
// domain.
func streamsDir(dir string) string { return filepath.Join(dir, "jetstream", "$G", "streams") }

// embed starts a server inside this process. It listens nowhere: the
// connection is a pipe. SyncAlways makes every write reach the disk before it
// is answered; JetStream's own default is two minutes later. c.MaxStore is set.
func embed(c Config, lg *slog.Logger) (*server.Server, *nats.Conn, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName: "sluice", DontListen: true, NoSigs: true, NoLog: true, DisableJetStreamBanner: true,
		JetStream: true, StoreDir: c.Dir, SyncAlways: true,
		JetStreamMaxStore: c.MaxStore, JetStreamMaxMemory: 64 << 20,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("preparing the server: %w", err)
	}
	voice := &voice{lg: lg}
	srv.SetLoggerV2(voice, false, false, false)
	srv.Start()
	nc, err := enter(srv, lg)
	if err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, nil, errors.Join(err, voice.reason())
	}
	return srv, nc, nil
}

func enter(srv *server.Server, lg *slog.Logger) (*nats.Conn, error) {
	if !srv.ReadyForConnections(startWait) {
		return nil, errors.New("the embedded server did not start")
	}
	if js := srv.JetStreamConfig(); js == nil || !js.SyncAlways {
		return nil, errors.New("the embedded server does not write before it answers")
	}
	nc, err := nats.Connect("", append(options(lg), nats.InProcessServer(srv))...)
	if err != nil {
		return nil, fmt.Errorf("connecting to the embedded server: %w", err)
	}
	return nc, nil
}

// options are those of every connection. A request that fails is repeated by
// its caller, under the same ID.
func options(lg *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name("sluice"), nats.MaxReconnects(-1), nats.SyncQueueLen(pageMessages + 1), // a page and its end; the default takes 512 KiB a read
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			lg.Warn("a connection to the streams has an error", "error", err)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				lg.Warn("the connection to the streams is lost", "error", err)
			}
		}),
	}
}

// maxStore leaves a tenth of the disk free: a full disk makes JetStream fall
// silent until it is started again, while its own limit is a clean refusal.
func (c Config) maxStore() (int64, error) {
	if c.MaxStore > 0 {
		return c.MaxStore, nil
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(c.Dir, &fs); err != nil {
		return 0, fmt.Errorf("asking for free space: %w", err)
	}
	used, err := size(streamsDir(c.Dir))
	if err != nil {
		return 0, err
	}
	block := int64(fs.Bsize)
	free := int64(fs.Bavail)*block - int64(fs.Blocks)*block/10
	return used + max(free, 64<<20), nil
}

// voice passes the server's words to slog. Notices are many and say little.
type voice struct {
	lg    *slog.Logger
	fatal atomic.Pointer[string] // why the server gave up; it does not return it
}

func (v *voice) Noticef(format string, a ...any) { v.lg.Debug("nats: " + fmt.Sprintf(format, a...)) }
func (v *voice) Warnf(format string, a ...any)   { v.lg.Warn("nats: " + fmt.Sprintf(format, a...)) }
func (v *voice) Errorf(format string, a ...any)  { v.lg.Error("nats: " + fmt.Sprintf(format, a...)) }
func (v *voice) Debugf(string, ...any)           {}
func (v *voice) Tracef(string, ...any)           {}

// Fatalf keeps the reason for the caller instead of ending the process.
func (v *voice) Fatalf(format string, a ...any) {
	text := fmt.Sprintf(format, a...)
	v.fatal.Store(&text)
	v.lg.Error("nats: " + text)
}

func (v *voice) reason() error {
	if text := v.fatal.Load(); text != nil {
		return errors.New(*text)
	}
	return nil
}
