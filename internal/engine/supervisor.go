package engine

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Supervisor keeps one engine child running: it starts it, starts it again
// when it ends, and closes it with itself. Library, Path and Socket are
// required. A Supervisor is used once.
type Supervisor struct {
	Library string       // path of libchdb, from Find
	Path    string       // data directory of the engine
	Socket  string       // path of the unix socket
	Command []string     // how to start a child; empty: this executable with "engine". --lib, --path and --socket follow.
	Logger  *slog.Logger // nil is silent

	// Patience is how long a child may take to answer that it lives, before it
	// is taken to hang and killed: longer than any statement has leave to run,
	// since it may have to wait its turn. Zero: five minutes.
	Patience time.Duration

	mu     sync.Mutex
	status Status
	moved  chan struct{} // closed and replaced when status changes
}

// Status is how the child is.
type Status struct {
	PID      int    // of the child; 0 while none runs
	Ready    bool   // the child answers
	Restarts int    // children started after the first
	Reason   string // why the last child ended; "" before that
	Err      error  // why Run gave up; nil while it runs
}

// The pause before a restart doubles from least to most while children do not
// even become ready; one that did is replaced at once, since a start takes half
// a second and cannot become a storm. The first child may have to wait for its
// predecessor's lock, so it gets attempts tries, about 20 s; then the fault is
// one that a person must see.
const (
	leastPause = 50 * time.Millisecond
	mostPause  = 5 * time.Second
	attempts   = 10
)

// Run supervises until ctx is done and the child has closed; then it returns
// nil. It returns an error, the child's last words, when no child ever became
// ready.
func (s *Supervisor) Run(ctx context.Context) error {
	pause, everReady := leastPause, false
	for n := 1; ; n++ {
		err := s.runChild(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if s.Status().Ready {
			everReady, pause = true, leastPause
		}
		if !everReady && n == attempts {
			s.change(func(st *Status) { st.Err, st.PID = err, 0 })
			return err
		}
		s.change(func(st *Status) {
			st.PID, st.Ready, st.Reason, st.Restarts = 0, false, err.Error(), st.Restarts+1
		})
		s.logger().Warn("engine ended, starting it again", "reason", err, "pause", pause, "restarts", n)
		if !sleep(ctx, pause) {
			return nil
		}
		pause = min(2*pause, mostPause)
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// runChild starts one child and returns why it ended, never nil unless ctx is
// done. The child closes when its standard input ends, which also happens
// when this process is killed.
func (s *Supervisor) runChild(ctx context.Context) error {
	words := &lastWords{}
	cmd, err := s.command()
	if err != nil {
		return err
	}
	cmd.Stderr = words
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		return fmt.Errorf("starting the engine: %w", err)
	}
	s.change(func(st *Status) { st.PID = cmd.Process.Pid })
	ended := make(chan struct{})
	go s.closeChild(ctx, cmd.Process, in, ended)
	watching, unwatch := context.WithCancel(ctx)
	defer unwatch()
	s.listenTo(out, func() { go s.watchOver(watching, cmd.Process) })
	err = cmd.Wait()
	close(ended)
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("engine process %d ended: %s: %s", cmd.Process.Pid, endOf(err), words)
}

func (s *Supervisor) command() (*exec.Cmd, error) {
	argv := s.Command
	if len(argv) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
		argv = []string{self, "engine"}
	}
	flags := []string{"--lib", s.Library, "--path", s.Path, "--socket", s.Socket}
	return exec.Command(argv[0], append(argv[1:len(argv):len(argv)], flags...)...), nil
}

// closeChild asks the child to end when ctx is done, and kills it when it has
// not done so in twice the time that it gives its statements.
func (s *Supervisor) closeChild(ctx context.Context, p *os.Process, in io.Closer, ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	_ = in.Close()
	select {
	case <-ended:
	case <-time.After(2 * drain):
		_ = p.Kill()
	}
}

// KeepDefinitions keeps a copy of how each table is defined, for the day on which
// the disk is full. Call it when tables were made or altered, and before they are
// used: an error names those whose definition did not reach the disk, which are
// not there any more when the engine is started again.
func (s *Supervisor) KeepDefinitions() error { return definitions{s.Path}.keep() }

// listenTo reads the child's standard output to its end, and calls ready when
// the child says that it is.
func (s *Supervisor) listenTo(out io.Reader, ready func()) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if name, ok := strings.CutPrefix(lines.Text(), mendedWord); ok {
			s.logger().Warn("the disk was full when a table was made or altered: its definition is what it was before, or it is made anew", "definition", name)
		}
		if lines.Text() == readyLine {
			st := s.change(func(st *Status) { st.Ready = true })
			s.logger().Info("engine is ready", "pid", st.PID, "restarts", st.Restarts)
			ready()
		}
	}
}

func endOf(err error) string {
	if err == nil {
		return "status 0"
	}
	return err.Error()
}

// Wait returns when the engine answers, with Run's error when it has given
// up, or with ctx's.
func (s *Supervisor) Wait(ctx context.Context) error {
	for {
		st, moved := s.watch()
		if st.Ready || st.Err != nil {
			return st.Err
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("waiting for the engine (%s): %w", st.Reason, ctx.Err())
		}
	}
}

// Dial connects to the engine's socket, whatever network and address it is
// asked for: it is the DialContext of an HTTP transport.
func (s *Supervisor) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return Dial(ctx, s.Socket)
}

// Dial connects to an engine's socket.
func Dial(ctx context.Context, socket string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "unix", socket)
}

// Status says how the child is now.
func (s *Supervisor) Status() Status {
	st, _ := s.watch()
	return st
}

func (s *Supervisor) watch() (Status, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.moved == nil {
		s.moved = make(chan struct{})
	}
	return s.status, s.moved
}

func (s *Supervisor) change(f func(*Status)) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.status)
	if s.moved != nil {
		close(s.moved)
	}
	s.moved = make(chan struct{})
	return s.status
}

func (s *Supervisor) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}

// lastWords keeps the end of what a child wrote to standard error.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

const lastWordsMax = 2048 // bytes

// Write implements io.Writer.
func (l *lastWords) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, b...)
	if over := len(l.text) - lastWordsMax; over > 0 {
		l.text = append(l.text[:0], l.text[over:]...)
	}
	return len(b), nil
}

// String returns the last words, one line.
func (l *lastWords) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	words := strings.Join(strings.Fields(string(l.text)), " ")
	if words == "" {
		return "it said nothing"
	}
	return words
}
