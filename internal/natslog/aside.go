package natslog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// asideDir is where damaged facts lie while the embedded server runs. The
// server would cut them off at the damage; so it does not get to see them, and
// the log is served without them. They are put back when the server has ended,
// so that a person finds every file where it was.
func asideDir(dir string) string { return filepath.Join(dir, "aside") }

// spare takes a damaged stream out of the server's way, if the log can be
// served without it. It returns the fault that is left: nil, or the damage.
func (s *Store) spare(name string, damage error) error {
	if !s.config.FactsLater || !s.config.isFacts(name) {
		return damage
	}
	from, to := filepath.Join(streamsDir(s.config.Dir), name), filepath.Join(asideDir(s.config.Dir), name)
	err := os.MkdirAll(asideDir(s.config.Dir), 0o700)
	if err == nil {
		err = os.Rename(from, to)
	}
	if err != nil {
		return errors.Join(damage, fmt.Errorf("moving %s aside: %w", name, err))
	}
	if s.aside == nil {
		s.aside = map[string]error{}
	}
	s.aside[name] = damage
	return nil
}

func (c Config) isFacts(name string) bool {
	for _, f := range c.facts() {
		if f.Name == name {
			return true
		}
	}
	return false
}

// putBack returns every stream that was aside when the last process ended.
func putBack(dir string) error {
	entries, err := os.ReadDir(asideDir(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		from, to := filepath.Join(asideDir(dir), e.Name()), filepath.Join(streamsDir(dir), e.Name())
		err = errors.Join(err, os.Rename(from, to))
	}
	if err != nil {
		return fmt.Errorf("putting damaged facts back; if both are there, remove one: %w", err)
	}
	return os.Remove(asideDir(dir))
}
