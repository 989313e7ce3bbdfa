package sdk

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func records(from, to int) [][]byte {
	var out [][]byte
	for i := from; i <= to; i++ {
		out = append(out, fmt.Appendf(nil, `{"n":%d}`, i))
	}
	return out
}

func mustOpen(t *testing.T, dir string, limit int64) (*spool, int, int64) {
	t.Helper()
	s, waiting, damaged, err := openSpool(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.shut() })
	return s, waiting, damaged
}

func mustAppend(t *testing.T, s *spool, list [][]byte) int {
	t.Helper()
	dropped, err := s.append(list)
	if err != nil {
		t.Fatal(err)
	}
	return dropped
}

// drain reads and settles everything, in batches of so many.
func drain(t *testing.T, s *spool, most int) []string {
	t.Helper()
	var out []string
	for {
		list, m, _, err := s.next(most, bytesAtOnce)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) == 0 {
			return out
		}
		for _, r := range list {
			out = append(out, string(r))
		}
		if err := s.settle(m); err != nil {
			t.Fatal(err)
		}
	}
}

func texts(list [][]byte) []string {
	var out []string
	for _, r := range list {
		out = append(out, string(r))
	}
	return out
}

// What was not settled is there after a start, in order, and what was is not.
func TestSpoolGoesOn(t *testing.T) {
	dir := t.TempDir()
	s, _, _ := mustOpen(t, dir, 1<<20)
	mustAppend(t, s, records(1, 10))
	_, m, _, _ := s.next(4, bytesAtOnce)
	if err := s.settle(m); err != nil {
		t.Fatal(err)
	}
	_, _, _, _ = s.next(3, bytesAtOnce) // on its way when the process ends
	_ = s.shut()
	again, waiting, damaged := mustOpen(t, dir, 1<<20)
	mustAppend(t, again, records(11, 12))
	if diff := cmp.Diff(texts(records(5, 12)), drain(t, again, 5)); diff != "" || waiting != 6 || damaged != 0 {
		t.Errorf("%d waited, %d bytes damaged (-want +got):\n%s", waiting, damaged, diff)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); len(names) > 0 {
		t.Errorf("%q are left, and nothing waits", names)
	}
}

// A segment that is made after all others are gone is not taken for the one that
// the file of what is settled still names.
func TestSpoolNeverReusesANumber(t *testing.T) {
	dir := t.TempDir()
	s, _, _ := mustOpen(t, dir, 1<<20)
	mustAppend(t, s, records(1, 4))
	_, m, _, _ := s.next(2, bytesAtOnce)
	_ = s.settle(m) // writes the file
	drain(t, s, 10)
	_ = s.shut()
	s, _, _ = mustOpen(t, dir, 1<<20)
	mustAppend(t, s, records(5, 8))
	_ = s.shut()
	s, waiting, _ := mustOpen(t, dir, 1<<20)
	if got := drain(t, s, 10); waiting != 4 || len(got) != 4 {
		t.Errorf("%d waited, and %q came", waiting, got)
	}
}

// A crash cuts off the end of a file, or leaves zeros there: what stands before
// is kept, and what is missing is said.
func TestSpoolDamage(t *testing.T) {
	whole := appendRecord(appendRecord(nil, []byte("one")), []byte("two"))
	changed := append([]byte(nil), whole...)
	changed[len(changed)-1] ^= 1
	for _, test := range []struct {
		name    string
		file    []byte
		want    []string
		damaged int64
	}{
		{"whole", whole, []string{"one", "two"}, 0},
		{"cut in a record", whole[:len(whole)-1], []string{"one"}, 10},
		{"cut in a head", whole[:len(whole)-8], []string{"one"}, 3},
		{"zeros behind", append(append([]byte(nil), whole...), make([]byte, 20)...), []string{"one", "two"}, 20},
		{"changed", changed, []string{"one"}, 11},
		{"empty", nil, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(newSegment(dir, 7).path, test.file, 0o600); err != nil {
				t.Fatal(err)
			}
			s, waiting, damaged := mustOpen(t, dir, 1<<20)
			if got := drain(t, s, 10); !cmp.Equal(test.want, got) || waiting != len(test.want) || damaged != test.damaged {
				t.Errorf("%d waited, %d bytes were damaged: %q", waiting, damaged, got)
			}
		})
	}
}

// A file that is damaged while it waits is given up, and counted; others go on.
func TestSpoolDamagedWhileItWaits(t *testing.T) {
	dir := t.TempDir()
	s, _, _ := mustOpen(t, dir, 1<<20)
	mustAppend(t, s, records(1, 3))
	_ = s.shut()
	mustAppend(t, s, records(4, 5)) // in another segment
	if err := os.WriteFile(s.segments[0].path, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	list, _, lost, err := s.next(10, bytesAtOnce)
	if err != nil || lost != 3 || !cmp.Equal(texts(records(4, 5)), texts(list)) {
		t.Errorf("lost %d, error %v: %q", lost, err, texts(list))
	}
}

// Beyond the limit the oldest go, but for those on their way, and every one that
// goes is counted.
func TestSpoolLimit(t *testing.T) {
	const limit = 64 << 10
	s, _, _ := mustOpen(t, t.TempDir(), limit)
	big := make([]byte, 1000)
	added, dropped := 0, 0
	var onItsWay mark
	for range 200 {
		dropped += mustAppend(t, s, [][]byte{big})
		if added++; added == 1 {
			_, onItsWay, _, _ = s.next(1, bytesAtOnce)
		}
	}
	if err := s.settle(onItsWay); err != nil {
		t.Fatal(err)
	}
	left := 1 + len(drain(t, s, 1000))
	if size := int64(left) * 1008; added != dropped+left || dropped == 0 || size > limit || size < limit/2 {
		t.Errorf("of %d, %d were dropped and %d are left", added, dropped, left)
	}
}

// A disk that takes nothing gets no file for every attempt, and what was written
// before stays.
func TestSpoolThatCannotWrite(t *testing.T) {
	dir := t.TempDir()
	s, _, _ := mustOpen(t, dir, 1<<20)
	mustAppend(t, s, records(1, 2))
	for range 5 {
		if err := s.turn(); err != nil {
			t.Fatal(err)
		}
		_ = s.out.Close()
		if _, err := s.append(records(8, 9)); err == nil {
			t.Fatal("a closed file takes records")
		}
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); len(names) != 1 {
		t.Errorf("%q", names)
	}
	mustAppend(t, s, records(3, 4))
	if diff := cmp.Diff(texts(records(1, 4)), drain(t, s, 10)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCrash writes events in a process that is killed: every one that the spool
// had taken is there, once, in order.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashChild$", "-test.v")
	child.Env = append(os.Environ(), "SLUICE_SDK_CRASH="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	taken := 0
	for lines := bufio.NewScanner(out); lines.Scan() && taken < 500; {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			taken = n
		}
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	s, waiting, _ := mustOpen(t, dir, 1<<30)
	got := drain(t, s, 64)
	if taken < 500 || waiting < taken || !cmp.Equal(texts(records(1, waiting)), got) {
		t.Errorf("%d were taken, %d are there, or not in order", taken, waiting)
	}
}

// TestCrashChild is the process that TestCrash kills.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv("SLUICE_SDK_CRASH")
	if dir == "" {
		t.Skip("a part of TestCrash")
	}
	s, _, _, err := openSpool(dir, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; ; n += 5 {
		if _, err := s.append(records(n, n+4)); err != nil {
			t.Fatal(err)
		}
		fmt.Println(n + 4)
	}
}
