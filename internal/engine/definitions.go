package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// definitions are those of the tables and databases of a data directory: files
// that the engine writes when one is made or altered, and reads when it opens.
//
// On a disk without room it writes empty ones, also in the place of one that was
// whole, and answers that all is well (seen with 26.7). The table goes on until
// the engine ends, and it never opens again. So each definition that is whole is
// kept beside the directory, and what is not whole is mended before the engine
// opens.
type definitions struct{ path string }

// keeping is where the copy of a definition is.
func (d definitions) keeping(name string) string {
	return filepath.Join(filepath.Clean(d.path)+".definitions", name)
}

// names returns the files, relative to the directory.
func (d definitions) names() (names []string, err error) {
	for _, pattern := range []string{"metadata/*.sql", "store/*/*/*.sql"} {
		found, err := fs.Glob(os.DirFS(d.path), pattern)
		if err != nil {
			return nil, fmt.Errorf("listing the definitions of tables: %w", err) // unreachable unless a pattern is none
		}
		names = append(names, found...)
	}
	return names, nil
}

// whole reports whether a definition was written to its end.
func whole(text []byte) bool {
	return bytes.HasPrefix(text, []byte("ATTACH ")) && bytes.HasSuffix(text, []byte("\n"))
}

// keep copies what is whole, and returns an error that names what is not.
func (d definitions) keep() error {
	names, err := d.names()
	if err != nil {
		return err
	}
	var faults []error
	for _, name := range names {
		if err := d.keepOne(name); err != nil {
			faults = append(faults, fmt.Errorf("keeping the definition %s: %w", name, err))
		}
	}
	return errors.Join(faults...)
}

func (d definitions) keepOne(name string) error {
	text, err := os.ReadFile(filepath.Join(d.path, name))
	switch {
	case errors.Is(err, fs.ErrNotExist): // the table was dropped meanwhile
		return nil
	case err != nil:
		return err
	case !whole(text):
		return errors.New("it is not whole, as a disk without room leaves it; make room")
	}
	return copyTo(d.keeping(name), text)
}

// mend brings what is not whole back to what was kept, and returns its names. A
// definition that was never kept goes: before it is, nobody inserts (see
// Supervisor.KeepDefinitions).
func (d definitions) mend() (mended []string, err error) {
	names, err := d.names()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		file := filepath.Join(d.path, name)
		text, err := os.ReadFile(file)
		if err == nil && whole(text) {
			continue
		}
		if err == nil {
			mended = append(mended, name)
			err = d.bringBack(name, file)
		}
		if err != nil {
			return mended, fmt.Errorf("mending the definition %s: %w", name, err)
		}
	}
	return mended, nil
}

func (d definitions) bringBack(name, file string) error {
	text, err := os.ReadFile(d.keeping(name))
	if errors.Is(err, fs.ErrNotExist) {
		return os.Remove(file)
	}
	if err != nil {
		return err
	}
	return copyTo(file, text)
}

// copyTo writes a file whole or not at all, unless it holds that text already.
func copyTo(path string, text []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".kept-*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // it is of no use
	}
	return err
}
