package sdk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-hq/sluice/flags"
)

// ErrDamaged says that a last-known file, or bootstrap data, is not what was
// written. It is not used.
var ErrDamaged = errors.New("the last-known flags are damaged")

// lastKnown is what the provider knew when it last wrote it down: a line of
// JSON with the head, and the ruleset as the stream sends it.
type lastKnown struct {
	head
	ruleset flags.Ruleset
}

// head is the first line. It is append-only: older providers read newer files.
type head struct {
	Format      int       `json:"sluiceLastKnown"` // 1
	Environment string    `json:"environment"`
	Revision    uint64    `json:"revision"`
	Confirmed   time.Time `json:"confirmed"` // when the server was last heard of
	Size        int       `json:"size"`      // bytes of the ruleset
	SHA256      string    `json:"sha256"`    // of the ruleset
}

const lastKnownFormat = 1

// encode writes what decode reads.
func (k lastKnown) encode() ([]byte, error) {
	body, err := json.Marshal(k.ruleset)
	if err != nil {
		return nil, fmt.Errorf("encoding the flags: %w", err)
	}
	sum := sha256.Sum256(body)
	k.Format, k.Size, k.SHA256 = lastKnownFormat, len(body), hex.EncodeToString(sum[:])
	k.Environment, k.Revision = k.ruleset.Environment, k.ruleset.Revision
	first, err := json.Marshal(k.head)
	if err != nil {
		return nil, fmt.Errorf("encoding the flags: %w", err)
	}
	return append(append(append(first, '\n'), body...), '\n'), nil
}

// decodeLastKnown reads what encode wrote, or a bare ruleset, of which nobody
// knows how old it is. Anything else is ErrDamaged.
func decodeLastKnown(b []byte) (k lastKnown, err error) {
	first, body, _ := bytes.Cut(b, []byte("\n"))
	if json.Unmarshal(first, &k.head) != nil || k.Format == 0 {
		return bareRuleset(b)
	}
	if k.Format != lastKnownFormat {
		return lastKnown{}, fmt.Errorf("%w: their format is %d, and this version reads %d", ErrDamaged, k.Format, lastKnownFormat)
	}
	body = bytes.TrimSuffix(body, []byte("\n"))
	sum := sha256.Sum256(body)
	switch {
	case len(body) != k.Size:
		return lastKnown{}, fmt.Errorf("%w: %d bytes of %d are there", ErrDamaged, len(body), k.Size)
	case hex.EncodeToString(sum[:]) != k.SHA256:
		return lastKnown{}, fmt.Errorf("%w: the checksum is not theirs", ErrDamaged)
	}
	if err := json.Unmarshal(body, &k.ruleset); err != nil {
		return lastKnown{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return k, nil
}

func bareRuleset(b []byte) (k lastKnown, err error) {
	if err := json.Unmarshal(b, &k.ruleset); err != nil {
		return lastKnown{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if k.ruleset.Environment == "" || k.ruleset.Flags == nil {
		return lastKnown{}, fmt.Errorf("%w: they are no ruleset of an environment", ErrDamaged)
	}
	return k, nil
}

// readLastKnown reads the file; there is none at the first start.
func readLastKnown(path string) (k lastKnown, found bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, false, nil
	}
	if err == nil {
		k, err = decodeLastKnown(b)
	}
	if err != nil {
		return lastKnown{}, false, fmt.Errorf("reading %s: %w", path, err)
	}
	return k, true, nil
}

// writeWhole puts a file in the place of another, so that a reader, or whoever
// comes after a crash, finds one of both.
func writeWhole(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()           // it may be closed already
			_ = os.Remove(f.Name()) // what is left is overwritten by nobody, and small
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
