package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/natslog"
)

// doctorCmd looks for what would keep Sluice from running here, and says what
// to do about it.
type doctorCmd struct {
	client
	Data       string `help:"Folder of the data." default:"data" env:"SLUICE_DATA"`
	Lib        string `help:"Path of libchdb." env:"SLUICE_ENGINE"`
	Clickhouse string `help:"ClickHouse server; then no engine is needed." env:"SLUICE_CLICKHOUSE"`
}

// Run prints one line per examination; a fault makes the exit status 1.
func (c doctorCmd) Run(ctx context.Context) error {
	sick := false
	for _, e := range []struct {
		name    string
		examine func(context.Context) (string, error)
	}{
		{"platform", c.platform}, {"engine", c.engine}, {"data", c.data}, {"disk", c.disk}, {"log", c.log}, {"server", c.server},
	} {
		found, err := e.examine(ctx)
		if err != nil {
			sick = true
			fmt.Printf("✗ %-9s %v\n", e.name, err)
			continue
		}
		fmt.Printf("✓ %-9s %s\n", e.name, found)
	}
	if sick {
		return exit(exitError)
	}
	return nil
}

func (doctorCmd) platform(context.Context) (string, error) {
	return fmt.Sprintf("sluice %s, %s/%s, %d processors", version, runtime.GOOS, runtime.GOARCH, runtime.NumCPU()), nil
}

// engine starts the engine on an empty folder and stops it again.
func (c doctorCmd) engine(ctx context.Context) (string, error) {
	if c.Clickhouse != "" {
		return "not needed: a ClickHouse server is named", nil
	}
	dir, err := os.MkdirTemp("", "sluice-doctor-")
	if err != nil {
		return "", fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	ctx, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	began := now()
	m, err := startEngine(ctx, c.Lib, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return "", err
	}
	took := now().Sub(began)
	return fmt.Sprintf("starts in %d ms (%s)", took.Milliseconds(), m.Library), m.stop()
}

func (c doctorCmd) data(context.Context) (string, error) {
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return "", fmt.Errorf("making %s: %w; name another folder with --data", c.Data, err)
	}
	f, err := os.CreateTemp(c.Data, "doctor-*")
	if err != nil {
		return "", fmt.Errorf("writing to %s: %w; name another folder with --data", c.Data, err)
	}
	defer os.Remove(f.Name())
	began := now()
	if _, err := f.Write([]byte("well")); err != nil {
		return "", fmt.Errorf("writing to %s: %w", c.Data, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("writing to the disk below %s: %w", c.Data, err)
	}
	return fmt.Sprintf("%s can be written; a write is on disk after %.1f ms", c.Data, now().Sub(began).Seconds()*1000), nil
}

// disk wants the room that the streams keep free of themselves.
func (c doctorCmd) disk(context.Context) (string, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(c.Data, &s); err != nil {
		return "", fmt.Errorf("asking for the free space: %w", err)
	}
	const need = 2 << 30
	free := s.Bavail * uint64(s.Bsize)
	if free < need {
		return "", fmt.Errorf("%.1f GiB are free below %s; %d GiB are needed", float64(free)/(1<<30), c.Data, need>>30)
	}
	return fmt.Sprintf("%.1f GiB are free", float64(free)/(1<<30)), nil
}

// log checks the files of a stopped server; those of a running one change
// while they are read.
func (c doctorCmd) log(context.Context) (string, error) {
	dir := filepath.Join(c.Data, "nats")
	if _, err := os.Stat(dir); err != nil {
		return "none yet", nil
	}
	report, err := natslog.Verify(dir)
	if err != nil && !errors.Is(err, event.ErrDamaged) {
		return fmt.Sprintf("not looked at: %v; ask a running server with: sluice verify", err), nil
	}
	return fmt.Sprintf("%d events, whole", report.Log.Seq), err
}

// ailing names the dependencies that are not well, and why.
func ailing(reasons map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		if reasons[name] != "ok" {
			all = append(all, name+": "+reasons[name])
		}
	}
	return strings.Join(all, "; ")
}

// server asks the running server, if there is one.
func (c doctorCmd) server(ctx context.Context) (string, error) {
	var reasons map[string]string
	err := c.get(ctx, "/readyz", &reasons)
	var refused *net.OpError
	var unwell *apiError
	switch {
	case errors.As(err, &refused):
		return "none at " + c.Server, nil
	case errors.As(err, &unwell) && json.Unmarshal(unwell.Body, &reasons) == nil:
		return "", fmt.Errorf("%s is not ready: %s", c.Server, ailing(reasons))
	}
	return "ready at " + c.Server, err
}
