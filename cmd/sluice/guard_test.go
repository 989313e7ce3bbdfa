package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine"
	"github.com/sluice-hq/sluice/internal/server"
)

// smallDisk mounts a disk of a few MiB, and skips where that is not allowed.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a disk of its own takes the right to mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// ballast is a file that takes all of a disk's room but leave bytes.
func ballast(t *testing.T, dir string, leave uint64) (path string) {
	t.Helper()
	path = filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := uint64(1 << 20); size > 0; size /= 2 {
		for free(t, dir) >= leave+size {
			if _, err := f.Write(make([]byte, size)); err != nil {
				break // the last block is taken by the file's own description
			}
		}
	}
	return path
}

func free(t *testing.T, dir string) uint64 {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		t.Fatal(err)
	}
	return fs.Bavail * uint64(fs.Bsize)
}

// until asks again until the answer has the status, and returns how long that
// took.
func (s *standing) until(status int, method, path string, body func(*standing) string) time.Duration {
	s.t.Helper()
	begin := time.Now()
	for time.Since(begin) < patience {
		if answer, _ := s.ask(method, path, body(s)); answer.StatusCode == status {
			return time.Since(begin)
		}
		sleep(s.t.Context(), 20*time.Millisecond)
	}
	s.t.Fatalf("%s %s is not %d within %v", method, path, status, patience)
	return 0
}

// large is an exposure that fits into no page that is there already.
func large(s *standing) string {
	chance, attributes := rand.New(rand.NewPCG(1, 2)), []string{}
	for i := range 60 {
		text := make([]byte, 500)
		for i := range text {
			text[i] = byte(chance.UintN(256))
		}
		attributes = append(attributes, fmt.Sprintf(`"a%d":"%x"`, i, text))
	}
	return strings.Replace(anEvent(s), `"at"`, `"attributes":{`+strings.Join(attributes, ",")+`},"at"`, 1)
}

const events = "/v1/events?environment=production"

// onDisk is a house that takes events and serves flags, on a disk of its own.
func onDisk(t *testing.T, floor ingest.Floor) (*standing, string) {
	disk := smallDisk(t, "192m")
	s := stand(t, config{Data: filepath.Join(disk, "data"), Roles: roles{server.Flags, server.Ingest, server.Decide, server.Web}, Floor: floor})
	s.want(200, "", "POST", "/api/v1/apply", aFlag)
	s.want(202, `"accepted":1`, "POST", events, anEvent(s))
	return s, disk
}

// TestGuard_diskThatFillsUp: before the disk is full events are refused and
// flags are served and changed as ever; with room again events are taken.
func TestGuard_diskThatFillsUp(t *testing.T) {
	s, disk := onDisk(t, ingest.Floor{Share: 200_000})
	path := ballast(t, disk, 20<<20)
	shut := s.until(http.StatusServiceUnavailable, "POST", events, anEvent)
	s.want(503, "are kept free", "POST", events, anEvent(s))
	s.want(503, "events are refused: the disk has", "GET", "/readyz", "")
	s.servesFlags()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	opened := s.until(http.StatusAccepted, "POST", events, anEvent)
	within(t, "it is ready", func() bool { answer, _ := s.ask("GET", "/readyz", ""); return answer.StatusCode == http.StatusOK })
	t.Logf("shut after %v, opened after %v", shut, opened)
}

// TestGuard_diskThatIsFull: where nothing is kept free, the stream falls silent.
// A request waits, flags are served, and once there is room the streams are
// opened again and the request's events are taken.
func TestGuard_diskThatIsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the half minute after which a stream counts as silent")
	}
	s, disk := onDisk(t, ingest.Floor{})
	path := ballast(t, disk, 0)
	answered, asked := make(chan string, 1), time.Now()
	go func() {
		answer, text := s.ask("POST", events, large(s))
		answered <- answer.Status + " " + text
	}()
	for begin := time.Now(); time.Since(begin) < 2*time.Second; sleep(t.Context(), 50*time.Millisecond) {
		s.want(200, `"value":true`, "POST", "/ofrep/v1/evaluate/flags/checkout.express?environment=production", `{"context":{"targetingKey":"u"}}`)
	}
	select {
	case text := <-answered:
		t.Fatalf("on a full disk: %s", text)
	default:
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	switch text := <-answered; {
	case strings.HasPrefix(text, "202"):
	case strings.HasPrefix(text, "503") && time.Since(asked) > 50*time.Second: // all that a request waits for, on a machine that is busy with others
		s.until(http.StatusAccepted, "POST", events, large)
	default:
		t.Errorf("with room, %v after it was sent: %s", time.Since(asked), text)
	}
	t.Logf("taken %v after there was room", time.Since(begin))
	s.want(202, "", "POST", events, anEvent(s))
	s.servesFlags()
	if _, err := engine.Find(engine.Places{Dir: "."}); err == nil { // the engine was opened on the full disk, and its tables were made there
		s.awaits("/readyz", func(body string) bool { return strings.Contains(body, `"warehouse":"ok"`) })
	}
}
