package natslog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/sluice-hq/sluice/event"
)

// Names of the streams; a shard of facts has its number at the end.
const (
	controlStream = "CONTROL"
	blobsStream   = "BLOBS"
	deadStream    = "DEAD"
	factsStream   = "FACTS_"
	bucketStream  = "KV_LOADER"
)

// What messages of the streams are called in errors.
const (
	controlName = "event"
	blobsName   = "part of a document"
	deadName    = "dead letter"
	factsName   = "pack"
)

// Subjects of the streams other than CONTROL.
const (
	blobsSubject  = "blob."
	deadSubject   = "dead.letter"
	factsSubject  = "facts."
	bucketSubject = "$KV.LOADER."
)

// kinds are the aggregates that the log has, by the first token of a subject.
var kinds = [...]string{"environment", "flag", "incident", "letters", "metric", "policy", "principal", "references", "rollout", "segment", "unit", "webhook"}

// controlSubjects are the patterns of the log's subjects.
func controlSubjects() []string {
	list := []string{event.SealSubject}
	for _, k := range kinds {
		list = append(list, k+".>")
	}
	return list
}

// keep is what every stream has: on disk, refusing when full instead of
// dropping the oldest, without an age.
func (c Config) keep(name string, subjects ...string) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: name, Subjects: subjects, Storage: jetstream.FileStorage, Replicas: c.replicas(),
		Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxConsumers: -1, MaxMsgs: -1, MaxBytes: -1, MaxMsgsPerSubject: -1, MaxMsgSize: 1 << 20,
		Duplicates: c.window(), DenyDelete: true, AllowDirect: true,
	}
}

// streams lists every stream as it must be.
func (c Config) streams() []jetstream.StreamConfig { return append(c.core(), c.facts()...) }

// core lists the streams without which there are no flags.
func (c Config) core() []jetstream.StreamConfig {
	control := c.keep(controlStream, controlSubjects()...)
	control.DenyPurge = true
	blobs := c.keep(blobsStream, blobsSubject+">")
	blobs.DenyPurge = true
	return []jetstream.StreamConfig{control, blobs}
}

// facts lists the streams of the facts, with their dead letters and their
// loaders' progress.
func (c Config) facts() []jetstream.StreamConfig {
	bucket := c.keep(bucketStream, bucketSubject+">")
	bucket.MaxMsgsPerSubject = 5
	bucket.AllowDirect = false // a replica that lags would answer an older value
	list := []jetstream.StreamConfig{c.keep(deadStream, "dead.>"), bucket}
	for i := range c.shards() {
		facts := c.keep(factsStream+strconv.Itoa(i), factsSubject+strconv.Itoa(i))
		facts.MaxBytes = c.factsBytes()
		list = append(list, facts)
	}
	return list
}

// create makes the streams of the log and the documents.
func (s *Store) create(ctx context.Context) error {
	if err := s.ensureAll(ctx, s.config.core()); err != nil {
		return err
	}
	s.Control = &Stream{wire: s.wire(controlStream, controlName)}
	s.Blobs = &Blobs{wire: s.wire(blobsStream, blobsName)}
	return nil
}

// ensureAll makes the streams that are absent and compares the others.
func (s *Store) ensureAll(ctx context.Context, list []jetstream.StreamConfig) error {
	for _, want := range list {
		if err := s.ensure(ctx, want); err != nil {
			return fmt.Errorf("stream %s: %w", want.Name, err)
		}
	}
	return nil
}

// OpenFacts makes or checks the streams of the facts, of the dead letters and
// of the loaders' progress, and sets Facts, Dead and KV. Only a Store that was
// opened with FactsLater needs it. After an error it may be called again.
func (s *Store) OpenFacts(ctx context.Context) error {
	s.serving.Lock()
	defer s.serving.Unlock()
	if err := joined(s.aside); err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return s.ensureAll(ctx, s.config.facts()) },
		func() error { return s.countShards(ctx) },
		func() error { return s.compare(ctx, s.config.facts()) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	s.Facts = nil
	for i := range s.config.shards() {
		n := strconv.Itoa(i)
		s.Facts = append(s.Facts, &Stream{wire: s.watch(factsStream+n, factsName), subject: factsSubject + n})
	}
	s.Dead = &Stream{wire: s.watch(deadStream, deadName), subject: deadSubject}
	s.KV = &KV{wire: s.watch(bucketStream, "value")}
	return nil
}

func (s *Store) ensure(ctx context.Context, want jetstream.StreamConfig) error {
	st, err := s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return s.add(ctx, want)
	}
	if err != nil {
		return err
	}
	have := st.CachedInfo().Config
	if s.config.FactsBytes == 0 {
		want.MaxBytes = max(want.MaxBytes, have.MaxBytes) // the disk may be fuller by now
	}
	wide := widened(have, want)
	if d := differences(wide, want); len(d) > 0 {
		return fmt.Errorf("its settings are not those that Sluice relies on: %s", strings.Join(d, "; "))
	}
	if len(differences(have, want)) > 0 {
		_, err = s.js.UpdateStream(ctx, want)
	}
	return err
}

// widened returns the settings of a stream with what may grow as it is wanted:
// its room, and the kinds of subjects that it keeps, which a newer Sluice has
// more of. Neither ever shrinks.
func widened(have, want jetstream.StreamConfig) jetstream.StreamConfig {
	if have.MaxBytes > 0 {
		have.MaxBytes = max(have.MaxBytes, want.MaxBytes)
	}
	if !slices.ContainsFunc(have.Subjects, func(s string) bool { return !slices.Contains(want.Subjects, s) }) {
		have.Subjects = want.Subjects
	}
	return have
}

// add creates a stream, unless its messages are on disk already: then the
// server has refused its description, and creating it anew would hide that.
func (s *Store) add(ctx context.Context, want jetstream.StreamConfig) error {
	if x, ok := s.found[want.Name]; ok && x.last > 0 {
		return fmt.Errorf("%w: the server does not accept %s, but %d messages are there; restore that file from a backup",
			event.ErrDamaged, filepath.Join(streamsDir(s.config.Dir), want.Name, "meta.inf"), x.count)
	}
	_, err := s.js.CreateStream(ctx, want)
	return err
}

// differences names every setting on which durability or order rests.
func differences(have, want jetstream.StreamConfig) []string {
	var list []string
	note := func(name string, have, want any) {
		if h, w := fmt.Sprint(have), fmt.Sprint(want); h != w {
			list = append(list, fmt.Sprintf("%s is %s, not %s", name, h, w))
		}
	}
	note("subjects", slices.Sorted(slices.Values(have.Subjects)), slices.Sorted(slices.Values(want.Subjects)))
	note("storage", have.Storage, want.Storage)
	note("replicas", have.Replicas, want.Replicas)
	note("retention", have.Retention, want.Retention)
	note("discard", have.Discard, want.Discard)
	note("max messages", have.MaxMsgs, want.MaxMsgs)
	note("max bytes", have.MaxBytes, want.MaxBytes)
	note("max age", have.MaxAge, want.MaxAge)
	note("max messages per subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	note("max message size", have.MaxMsgSize, want.MaxMsgSize)
	note("duplicate window", have.Duplicates, want.Duplicates)
	note("deny delete", have.DenyDelete, want.DenyDelete)
	note("deny purge", have.DenyPurge, want.DenyPurge)
	note("allow direct", have.AllowDirect, want.AllowDirect)
	note("allow rollup", have.AllowRollup, want.AllowRollup)
	note("allow message TTL", have.AllowMsgTTL, want.AllowMsgTTL)
	note("compression", have.Compression, want.Compression)
	note("persist mode", have.PersistMode, want.PersistMode)
	note("sealed", have.Sealed, want.Sealed)
	note("mirror", have.Mirror != nil, false)
	note("sources", len(have.Sources), 0)
	note("subject transform", have.SubjectTransform != nil, false)
	return list
}

// countShards refuses another number of shards than there are: a unit's shard
// is its hash modulo that number.
func (s *Store) countShards(ctx context.Context) error {
	n := 0
	names := s.js.StreamNames(ctx)
	for name := range names.Name() {
		if strings.HasPrefix(name, factsStream) {
			n++
		}
	}
	if err := names.Err(); err != nil {
		return fmt.Errorf("listing the streams: %w", err)
	}
	if n != s.config.shards() {
		return fmt.Errorf("there are %d shards of facts, not %d; their number is fixed", n, s.config.shards())
	}
	return nil
}

// size sums the files below a directory, 0 when there is none.
func size(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		sum += info.Size()
		return nil
	})
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	return sum, err
}
