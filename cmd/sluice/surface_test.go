package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/access"
	"github.com/sluice-hq/sluice/internal/server"
)

var rewrite = flag.Bool("update", false, "rewrite what the commands say; read the diff")

// memoryHouse opens a house on memory parts and points the commands to it, as
// ana, an approver of everything.
func memoryHouse(t *testing.T) server.House {
	t.Helper()
	folds, log := server.NewFolds(), event.NewMemLog()
	h := server.House{
		Folds: folds, Log: log, Blobs: &event.MemBlobs{}, Projection: event.NewProjection(folds.All()...),
		Version: "test", Entropy: rand.Reader,
		Now: func() time.Time { return time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC) },
	}
	door := server.Door{Projection: h.Projection, Folds: folds}
	h.Intake = &ingest.Intake{
		Door:    &ingest.Door{Flags: door, Metrics: door, Key: []byte("a key of the test")},
		Packers: []*ingest.Packer{ingest.NewPacker(&ingest.MemStream{}, ingest.NewCodec(), "test")},
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Projection.Run(ctx, log) }()
	s := httptest.NewServer(server.New(h))
	t.Cleanup(func() {
		s.Close()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the projection ended: %v", err)
		}
	})
	t.Setenv("SLUICE_SERVER", s.URL)
	t.Setenv("SLUICE_TOKEN", approverOf(t, h, "ana"))
	return h
}

// approverOf returns the token of a new approver of everything.
func approverOf(t *testing.T, h server.House, name string) string {
	t.Helper()
	text, _, err := server.IssueToken(t.Context(), h, access.Token{Class: access.Account, Role: access.Approver, Name: name}, "test")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestCommands_tellTheirStories runs the commands of each story in testdata. A
// block is a command, "----" and what it printed, ended by its exit status
// when that is not 0.
func TestCommands_tellTheirStories(t *testing.T) {
	stories, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(stories) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range stories {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			h := memoryHouse(t)
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(source), "$BEN") {
				t.Setenv("BEN", approverOf(t, h, "ben"))
			}
			got := tellCommands(t, string(source))
			if *rewrite {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(string(source), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func tellCommands(t *testing.T, source string) string {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(source), "\n\n") {
		command, _, ok := strings.Cut(block, "\n----")
		if !ok {
			out.WriteString(block + "\n\n") // a remark
			continue
		}
		lines := strings.Split(command, "\n")
		args, ok := strings.CutPrefix(lines[len(lines)-1], "sluice ")
		if !ok {
			t.Fatalf("the story has the unknown command %q", command)
		}
		out.WriteString(command + "\n----\n" + says(t, commandLine(args)) + "\n")
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// commandLine splits a command line; quotes keep blanks.
func commandLine(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(os.ExpandEnv(part))...)
		}
	}
	return out
}

// identifier is an event's ID, which is another one at every run.
var identifier = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

// says runs a command in this process and returns what it printed, without
// empty lines and identifiers.
func says(t *testing.T, args []string) string {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "printed")
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = file, file
	status := run(t.Context(), args)
	os.Stdout, os.Stderr = stdout, stderr
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	printed, err := io.ReadAll(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range bytes.Lines(printed) {
		if text := strings.TrimRight(string(line), " \n"); text != "" {
			out.WriteString(identifier.ReplaceAllString(text, "<id>") + "\n")
		}
	}
	if status != 0 {
		fmt.Fprintf(&out, "[exit status %d]\n", status)
	}
	return out.String()
}
