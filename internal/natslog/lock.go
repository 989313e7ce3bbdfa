package natslog

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// lockFile lies beside the data and holds the process ID of whoever has it.
const lockFile = "lock"

// lock is the right of one process to a directory. The kernel takes it back
// when the process ends, however it ends.
type lock struct{ f *os.File }

// claim makes the directory if need be and takes it for this process.
func claim(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("the directory %s is in use by process %s", dir, holder(f))
		}
		return nil, fmt.Errorf("locking %s: %w", dir, err)
	}
	return &lock{f}, sign(f)
}

func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return fmt.Errorf("signing the lock: %w", err)
	}
	_, err := f.WriteAt(fmt.Appendln(nil, os.Getpid()), 0)
	return err
}

func holder(f *os.File) string {
	b, _ := io.ReadAll(io.LimitReader(f, 32)) // an unreadable lock is still a lock
	if pid := strings.TrimSpace(string(b)); pid != "" {
		return pid
	}
	return "unknown"
}

func (l *lock) release() { l.f.Close() }
