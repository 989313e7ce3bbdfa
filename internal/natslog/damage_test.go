package natslog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// written makes a directory whose log holds n events and whose server has
// stopped well.
func written(t testing.TB, n int) string {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	for i := range n {
		if _, err := s.Log.Append(t.Context(), eventtest.Event(fmt.Sprintf("flag.f%d", i%3), i), event.Any); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func blockFile(dir, stream string) string {
	return filepath.Join(streamsDir(dir), stream, "msgs", "1.blk")
}

// borders returns where each record of the log's only block begins, and its
// end.
func borders(t testing.TB, dir string) []int {
	t.Helper()
	b := readFile(t, blockFile(dir, controlStream))
	r, err := newBlockReader(controlStream, 1)
	if err != nil {
		t.Fatal(err)
	}
	list := []int{0}
	for at := 0; at < len(b); {
		_, n, err := r.next(b[at:])
		if err != nil {
			t.Fatal(err)
		}
		at += n
		list = append(list, at)
	}
	return list
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeFile(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// copyDir makes a copy of a stopped server's directory to spoil.
func copyDir(t testing.TB, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// names reports whether an error says that an event is damaged, and which.
func names(err error, seq int) bool {
	return errors.Is(err, event.ErrDamaged) && strings.Contains(err.Error(), fmt.Sprintf("event %d of CONTROL is missing", seq))
}

// TestEveryByteOfABlockCounts changes every byte of a block in two ways, the
// newest block and one before it: each time the event is named in whose record
// it lies, without any help from seal.json.
func TestEveryByteOfABlockCounts(t *testing.T) {
	const events = 12
	dir := written(t, events)
	marks, b := borders(t, dir), readFile(t, blockFile(dir, controlStream))
	for seq := 1; seq <= events; seq++ {
		for at := marks[seq-1]; at < marks[seq]; at++ {
			for _, flip := range []byte{0xff, 1 << (at % 8)} {
				b[at] ^= flip
				for _, newest := range []bool{true, false} {
					if err := scanBlock(t, b, newest); !names(err, seq) {
						t.Errorf("newest %t, event %d, byte %d ^ %#x: %v", newest, seq, at-marks[seq-1], flip, err)
					}
				}
				b[at] ^= flip
			}
		}
	}
}

// scanBlock scans the log's first block.
func scanBlock(t testing.TB, b []byte, newest bool) error {
	t.Helper()
	r, err := newBlockReader(controlStream, 1)
	if err != nil {
		t.Fatal(err)
	}
	s := scanner{stream: controlStream, rules: rulesOf(controlStream)}
	if _, err := s.records(r, b, newest); err != nil {
		return s.damage(err)
	}
	return nil
}

// TestStartNamesTheDamage changes a byte of the first, a middle and the last
// event of a stopped server, with and without the stream's index: start and
// Verify name the event, and start leaves the files as they are.
func TestStartNamesTheDamage(t *testing.T) {
	const events = 9
	dir := written(t, events)
	marks := borders(t, dir)
	for _, index := range []bool{true, false} {
		for _, seq := range []int{1, 5, events} {
			spoiled := copyDir(t, dir)
			path := blockFile(spoiled, controlStream)
			b := readFile(t, path)
			b[(marks[seq-1]+marks[seq])/2] ^= 0x20
			writeFile(t, path, b)
			if !index {
				remove(t, filepath.Join(filepath.Dir(path), "index.db"))
			}
			if _, err := Verify(spoiled); !names(err, seq) {
				t.Errorf("event %d, index %t: Verify = %v", seq, index, err)
			}
			if _, err := Open(t.Context(), config(spoiled)); !names(err, seq) {
				t.Errorf("event %d, index %t: Open = %v", seq, index, err)
			}
			if string(readFile(t, path)) != string(b) {
				t.Errorf("event %d, index %t: start has changed the file", seq, index)
			}
		}
	}
}

// TestServerAloneLosesTheTail pins why the files are read before the server
// starts: on its own, it cuts a block off at the damage or passes over it.
func TestServerAloneLosesTheTail(t *testing.T) {
	const events, damaged = 9, 5
	dir := written(t, events)
	marks, path := borders(t, dir), blockFile(dir, controlStream)
	b := readFile(t, path)
	b[marks[damaged]-1] ^= 1
	writeFile(t, path, b)
	remove(t, filepath.Join(filepath.Dir(path), "index.db"))
	srv, nc, err := embed(config(dir), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	srv.end()
	if got := len(readFile(t, path)); got != marks[damaged-1] {
		t.Errorf("the server left %d bytes; it used to cut off at %d", got, marks[damaged-1])
	}
	if _, err := Verify(dir); !names(err, damaged) {
		t.Errorf("Verify of what it left = %v", err)
	}
	checkReadOnly(t, dir, "ends at event 4, but event 9 was sealed")
}

// checkReadOnly opens a store whose log must be there for reading alone.
func checkReadOnly(t *testing.T, dir, why string) {
	t.Helper()
	before := readFile(t, filepath.Join(dir, sealFile))
	s := open(t, dir)
	_, err := s.Log.Append(t.Context(), eventtest.Event("flag.new", 1), event.Any)
	if !errors.Is(err, event.ErrReadOnly) || !strings.Contains(err.Error(), why) || !strings.Contains(s.Log.Why(), why) {
		t.Errorf("Append = %v (%s); want %q", err, s.Log.Why(), why)
	}
	if made, err := s.Sealer.Seal(t.Context(), event.NewProjection(), eventtest.Noon); made || err != nil {
		t.Errorf("Seal = %t, %v", made, err)
	}
	for _, err := range s.Log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Errorf("Read = %v", err)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Error(err)
	}
	if after := readFile(t, filepath.Join(dir, sealFile)); string(after) != string(before) {
		t.Errorf("seal.json was %s and is %s", before, after)
	}
}

// TestShorterLog cuts the block at every byte of the last record. Known events
// are missed; without seal.json, the beginning of a record is what a crash
// leaves, and the log goes on before it.
func TestShorterLog(t *testing.T) {
	const events = 6
	dir := written(t, events)
	marks, path := borders(t, dir), blockFile(dir, controlStream)
	whole := readFile(t, path)
	for at := marks[events-1]; at < marks[events]; at++ {
		writeFile(t, path, whole[:at])
		if _, err := Verify(dir); !names(err, events) {
			t.Errorf("cut at %d of %d: %v", at, len(whole), err)
		}
	}
	writeFile(t, path, whole[:marks[events-1]+40])
	if _, err := Open(t.Context(), config(dir)); !names(err, events) {
		t.Errorf("Open of a known event cut in two = %v", err)
	}
	writeFile(t, path, whole[:marks[events-2]])
	checkReadOnly(t, copyDir(t, dir), "ends at event 4, but event 6 was sealed")

	remove(t, filepath.Join(dir, sealFile))
	remove(t, filepath.Join(filepath.Dir(path), "index.db")) // written at a good end
	for at := marks[events-1] + 1; at < marks[events]; at++ {
		writeFile(t, path, whole[:at])
		r, err := Verify(dir)
		if err != nil || r.Log.Seq != events-1 || r.Streams[1].Torn != at-marks[events-1] {
			t.Errorf("cut at %d of %d after a crash: %+v, %v", at, len(whole), r, err)
		}
	}
	s := open(t, dir)
	seq, err := s.Log.Append(t.Context(), eventtest.Event("flag.new", 1), 0)
	if err != nil || seq != events {
		t.Errorf("Append behind what a crash cut off = %d, %v", seq, err)
	}
}

// TestRewrittenLog changes an event and every checksum and hash behind it, as
// somebody with access to the files can: the seals tell.
func TestRewrittenLog(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 4 {
		if _, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", 10+i), event.Any); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	other := written(t, 4)
	for _, name := range []string{"1.blk", "index.db"} {
		from := filepath.Join(filepath.Dir(blockFile(other, controlStream)), name)
		writeFile(t, filepath.Join(filepath.Dir(blockFile(dir, controlStream)), name), readFile(t, from))
	}
	_, err := Verify(dir)
	if !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), "event 4 or one before it is not what was sealed") {
		t.Errorf("Verify = %v", err)
	}
	if _, err := Open(t.Context(), config(dir)); !errors.Is(err, event.ErrDamaged) {
		t.Errorf("Open = %v", err)
	}
}

// TestDamageElsewhere spoils the other files of a stopped server.
func TestDamageElsewhere(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for i := range 4 {
		if _, err := s.Facts[0].Publish(t.Context(), fmt.Sprint(i), []byte("a pack of facts")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Log.Append(t.Context(), eventtest.Event("flag.a", 1), 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	facts := func(dir string) string { return blockFile(dir, factsStream+"0") }
	control := func(dir, name string) string { return filepath.Join(streamsDir(dir), controlStream, name) }
	for name, c := range map[string]struct {
		spoil func(dir string)
		want  string
	}{
		"seal.json":   {func(d string) { writeFile(t, filepath.Join(d, sealFile), []byte("{")) }, "seal.json"},
		"facts":       {func(d string) { b := readFile(t, facts(d)); b[200] ^= 1; writeFile(t, facts(d), b) }, "pack 3 of FACTS_0 is missing"},
		"facts short": {func(d string) { b := readFile(t, facts(d)); writeFile(t, facts(d), b[:len(b)/4*3]) }, "pack 4 of FACTS_0 is missing"},
		"facts gone":  {func(d string) { remove(t, facts(d)) }, "FACTS_0"},
		"description": {func(d string) {
			b := readFile(t, control(d, "meta.inf"))
			b[9]++
			writeFile(t, control(d, "meta.inf"), b)
		}, "meta.inf"},
	} {
		spoiled := copyDir(t, dir)
		c.spoil(spoiled)
		_, err := Open(t.Context(), config(spoiled))
		if !errors.Is(err, event.ErrDamaged) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Open = %v; want %q", name, err, c.want)
		}
	}
	spoiled := copyDir(t, dir) // an index that is spoiled is made anew from the blocks
	writeFile(t, control(spoiled, "msgs/index.db"), []byte("no index"))
	if err := open(t, spoiled).Close(context.Background()); err != nil {
		t.Error(err)
	}
}
