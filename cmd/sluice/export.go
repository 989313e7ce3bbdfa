package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/sluice-hq/sluice/event"
)

// exportCmd writes what is to be kept or used elsewhere.
type exportCmd struct {
	Log   exportLogCmd   `cmd:"" default:"withargs" help:"Write the control log, with its hashes, as JSON lines."`
	Flags exportFlagsCmd `cmd:"" help:"Write all flags, for flagd or as documents."`
}

// exportLogCmd writes the control log, so that it can be checked and kept
// elsewhere.
type exportLogCmd struct {
	client
	File string `short:"f" default:"-" help:"Where to write; - is standard output."`
}

// Run copies the log and checks each event on the way.
func (c exportLogCmd) Run(ctx context.Context) error {
	var lines []byte
	if err := c.get(ctx, "/api/v1/audit", &lines); err != nil {
		return err
	}
	if c.File == "-" {
		_, err := os.Stdout.Write(lines)
		return err
	}
	if err := os.WriteFile(c.File, lines, 0o600); err != nil {
		return fmt.Errorf("writing the log: %w", err)
	}
	fmt.Printf("wrote %d bytes to %s; check them with: sluice verify --file %s\n", len(lines), c.File, c.File)
	return nil
}

// eachLine reads events written one a line.
func eachLine(r io.Reader, f func(event.Recorded) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var e event.Recorded
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("%w: line %d is not an event: %v", event.ErrDamaged, n, err)
		}
		if err := f(e); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}
