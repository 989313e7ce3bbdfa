package natslog

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
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

// embed starts a server inside this process and connects to it.
func embed(c Config, lg *slog.Logger) (*pipe, *nats.Conn, error) {
	srv, err := start(c, lg)
	if err != nil {
		return nil, nil, err
	}
	p := &pipe{}
	p.srv.Store(srv)
	nc, err := nats.Connect("", append(options(lg), nats.InProcessServer(p), nats.ReconnectWait(50*time.Millisecond))...)
	if err != nil {
		p.end()
		return nil, nil, fmt.Errorf("connecting to the embedded server: %w", err)
	}
	return p, nc, nil
}

// pipe is the way into the embedded server, which listens nowhere. There can be
// another server at its end later: the connection finds it by itself.
type pipe struct{ srv atomic.Pointer[server.Server] }

var errEnded = errors.New("the embedded server is being started again")

// InProcessConn implements nats.InProcessConnProvider.
func (p *pipe) InProcessConn() (net.Conn, error) {
	srv := p.srv.Load()
	if srv == nil {
		return nil, errEnded
	}
	return srv.InProcessConn()
}

// end stops the server.
func (p *pipe) end() {
	if srv := p.srv.Swap(nil); srv != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
}

// start starts a server. SyncAlways makes every write reach the disk before it
// is answered; JetStream's own default is two minutes later. c.MaxStore is set.
func start(c Config, lg *slog.Logger) (*server.Server, error) {
	srv, err := server.NewServer(&server.Options{
		ServerName: "sluice", DontListen: true, NoSigs: true, NoLog: true, DisableJetStreamBanner: true,
		JetStream: true, StoreDir: c.Dir, SyncAlways: true,
		JetStreamMaxStore: c.MaxStore, JetStreamMaxMemory: 64 << 20,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the server: %w", err)
	}
	voice := &voice{lg: lg}
	srv.SetLoggerV2(voice, false, false, false)
	srv.Start()
	if err := keepsPromise(srv); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, errors.Join(err, voice.reason())
	}
	return srv, nil
}

func keepsPromise(srv *server.Server) error {
	if !srv.ReadyForConnections(startWait) {
		return errors.New("the embedded server did not start")
	}
	if js := srv.JetStreamConfig(); js == nil || !js.SyncAlways {
		return errors.New("the embedded server does not write before it answers")
	}
	return nil
}

// reconnectWait is how long a server that was tried is left alone. The default
// of two seconds would be a part of every gap while a cluster has another one.
const reconnectWait = 250 * time.Millisecond

// options are those of every connection. A request that fails is repeated by
// its caller, under the same ID.
func options(lg *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name("sluice"), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.SyncQueueLen(pageMessages + 1), // a page and its end; the default takes 512 KiB a read
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
	free, total, err := Space(c.Dir)
	if err != nil {
		return 0, err
	}
	used, err := size(streamsDir(c.Dir))
	if err != nil {
		return 0, err
	}
	return used + max(int64(free)-int64(total/10), 64<<20), nil
}

// Space returns how much of the disk under a directory is free, and its size.
func Space(dir string) (free, total uint64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0, 0, fmt.Errorf("asking for free space: %w", err)
	}
	block := uint64(fs.Bsize)
	return fs.Bavail * block, fs.Blocks * block, nil
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
