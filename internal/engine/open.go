package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// engine is the open engine of this process: the HTTP handler of its socket.
type engine struct {
	config  Config
	lock    *os.File // held while the data directory is open
	keeper  *handle  // open all the time: the engine closes with its last handle
	writers *pool
	readers *pool
	hello   []byte // answer to the driver's first question
}

// args are those of the handle that starts the engine. The caches are upper
// bounds that the engine fills only with what it reads; its own defaults are
// for a machine that does nothing else.
func (c Config) args() []string {
	list := []string{
		"clickhouse", "--path=" + c.Path,
		"--max_server_memory_usage_to_ram_ratio=0.5",
		"--mark_cache_size=134217728",
		"--primary_index_cache_size=134217728",
		"--index_mark_cache_size=134217728",
	}
	if c.Servers != "" {
		list = append(list, "--config-file="+c.Servers)
	}
	return list
}

func open(c Config) (*engine, error) {
	lib, err := load(c.Library)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(c.Path)
	if err != nil {
		return nil, err
	}
	keeper, err := c.begin(lib)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	e := &engine{config: c, lock: lock, keeper: keeper}
	enter := func(s session) (*handle, error) {
		h, err := connect(lib, c.args())
		if err != nil {
			return nil, err
		}
		if err := h.enter(s); err != nil {
			h.close()
			return nil, err
		}
		return h, nil
	}
	e.writers, e.readers = newPool(c.writers(), enter), newPool(c.readers(), enter)
	e.hello, err = greet(keeper)
	return e, err
}

// begin opens the engine on a directory whose definitions it can read, and tells
// the supervisor which of them it could not have.
func (c Config) begin(lib *library) (*handle, error) {
	d := definitions{c.Path}
	mended, err := d.mend()
	if err == nil {
		err = d.keep()
	}
	if err != nil {
		return nil, err
	}
	for _, name := range mended {
		c.say(mendedWord + name)
	}
	return connect(lib, c.args())
}

// lockDir makes the data directory and takes it for this process alone. Two
// engines in one directory would destroy it, and after a crash of the service
// the next one may start before the old engine has noticed.
func lockDir(path string) (*os.File, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("making the engine's data directory: %w", err)
	}
	f, err := os.OpenFile(filepath.Clean(path)+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the engine's data directory: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another engine is using %s: %w", path, err), f.Close())
	}
	return f, nil
}

// close closes every handle, the last of which closes the engine. The library
// aborts the process when it exits with open handles; data survives that, but
// a clean end is not an accident in anybody's log.
func (e *engine) close(limit time.Duration) error {
	if err := errors.Join(e.writers.close(limit), e.readers.close(limit)); err != nil {
		return err
	}
	e.keeper.close()
	return e.lock.Close()
}
