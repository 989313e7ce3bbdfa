package sdk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/sluice-hq/sluice/flags"
)

// packed is a ruleset whose flags nobody has read yet: to decode and compile a
// thousand takes longer than a start may. Each is read when it is first asked,
// and all of them a moment later, by who does not keep anybody waiting. It is
// immutable, but for the flags that were read, and safe for concurrent use.
type packed struct {
	ruleset flags.Ruleset          // without flags
	flags   map[string]*packedFlag // by key; nil: there was no list of them, not even an empty one
}

type packedFlag struct {
	text  []byte // JSON
	unit  string // kind
	alone atomic.Pointer[snapshot]
}

// pack finds the flags in the JSON of a ruleset, and reads what else is there.
func pack(b []byte) (*packed, error) {
	b = bytes.TrimSpace(b)
	p, others := &packed{}, b
	n, err := object(b, func(name, rest []byte) (n int, err error) {
		if string(name) != "flags" || !bytes.HasPrefix(rest, []byte("[")) {
			return extent(rest)
		}
		p.flags = map[string]*packedFlag{}
		n, err = elements(rest, p.flag)
		others = slices.Concat(b[:len(b)-len(rest)], []byte("null"), rest[n:])
		return n, err
	})
	if err == nil && n != len(b) {
		err = errShape
	}
	if err == nil {
		err = json.Unmarshal(others, &p.ruleset)
	}
	return p, err
}

// flag notes where the flag stands that b begins with, and returns its length.
func (p *packed) flag(b []byte) (int, error) {
	f, key := &packedFlag{}, ""
	n, err := object(b, func(name, rest []byte) (int, error) {
		n, err := extent(rest)
		switch {
		case err != nil:
		case string(name) == "key":
			err = json.Unmarshal(rest[:n], &key)
		case string(name) == "unit":
			err = json.Unmarshal(rest[:n], &f.unit)
		}
		return n, err
	})
	if err == nil && key == "" {
		err = errors.New("a flag has no key")
	}
	f.text, p.flags[key] = b[:n], f
	return n, err
}

func (f *packedFlag) read() (r flags.Recorded, err error) {
	err = json.Unmarshal(f.text, &r)
	return r, err
}

// whole reads all flags. One that cannot be read is left out, and the error
// names it.
func (p *packed) whole() (flags.Ruleset, error) {
	r, errs := p.ruleset, []error(nil)
	r.Flags = make([]flags.Recorded, 0, len(p.flags))
	for _, key := range slices.Sorted(maps.Keys(p.flags)) {
		f, err := p.flags[key].read()
		if err != nil {
			errs = append(errs, fmt.Errorf("reading flag %s: %w", key, err))
			continue
		}
		r.Flags = append(r.Flags, f)
	}
	return r, errors.Join(errs...)
}

// snapshot returns one that reads a flag when it is asked.
func (p *packed) snapshot(from Source, lists flags.Lists) *snapshot {
	s := newSnapshot(from, p.ruleset, lists)
	kinds := map[string]bool{}
	for _, f := range p.flags {
		kinds[f.unit] = true
	}
	s.packed, s.units = p, unitKinds(kinds)
	return s
}

// of returns the snapshot that answers a flag: this one, or, while its flags are
// packed, one of that flag alone. Who is first reads it.
func (s *snapshot) of(key string) *snapshot {
	if s.packed == nil {
		return s
	}
	f := s.packed.flags[key]
	if f == nil {
		return s
	}
	if alone := f.alone.Load(); alone != nil {
		return alone
	}
	r := s.ruleset
	s.packed.gather(key, &r)
	f.alone.CompareAndSwap(nil, newSnapshot(s.source, r, s.lists))
	return f.alone.Load() // that of whoever was quicker has counted already
}

// gather adds a flag, and those that it asks for, to a ruleset.
func (p *packed) gather(key string, into *flags.Ruleset) {
	f := p.flags[key]
	if f == nil || slices.ContainsFunc(into.Flags, func(r flags.Recorded) bool { return r.Key == key }) {
		return
	}
	r, err := f.read()
	if err != nil {
		return // it has no answer; whole says why
	}
	into.Flags = append(into.Flags, r)
	for _, need := range r.Environments[into.Environment].Prerequisites {
		p.gather(need.Flag, into)
	}
}

// drain returns what was answered since the last time.
func (s *snapshot) drain() []flags.Count {
	out := s.set.Drain()
	if s.packed == nil {
		return out
	}
	for _, f := range s.packed.flags {
		if alone := f.alone.Load(); alone != nil {
			out = append(out, alone.set.Drain()...)
		}
	}
	return out
}

// size returns how many flags there are.
func (s *snapshot) size() int {
	if s.packed != nil {
		return len(s.packed.flags)
	}
	return len(s.set.Keys())
}

// all returns the ruleset with its flags.
func (s *snapshot) all() flags.Ruleset {
	if s.packed == nil {
		return s.ruleset
	}
	r, _ := s.packed.whole() // who unpacks says what cannot be read
	return r
}
