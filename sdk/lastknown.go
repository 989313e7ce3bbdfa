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
	rules *packed
}

func (k *lastKnown) revision() uint64 { return k.rules.ruleset.Revision }

// head is the first line. It is append-only: older providers read newer files.
type head struct {
	Format      int       `json:"sluiceLastKnown"` // 1; it stays the first, by which it is known
	Environment string    `json:"environment"`
	Revision    uint64    `json:"revision"`
	Server      string    `json:"server"`    // its address
	Confirmed   time.Time `json:"confirmed"` // when the server was last heard of
	Size        int       `json:"size"`      // bytes of the ruleset
	SHA256      string    `json:"sha256"`    // of the ruleset
}

const lastKnownFormat = 1

// encode writes a ruleset for decodeLastKnown.
func (h head) encode(r flags.Ruleset) ([]byte, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encoding the flags: %w", err)
	}
	sum := sha256.Sum256(body)
	h.Format, h.Size, h.SHA256 = lastKnownFormat, len(body), hex.EncodeToString(sum[:])
	h.Environment, h.Revision = r.Environment, r.Revision
	first, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("encoding the flags: %w", err)
	}
	return append(append(append(first, '\n'), body...), '\n'), nil
}

// decodeLastKnown reads what encode wrote, or a bare ruleset, of which nobody
// knows how old it is, nor whose. Anything else is ErrDamaged.
func decodeLastKnown(b []byte) (*lastKnown, error) {
	if !bytes.HasPrefix(b, []byte(`{"sluiceLastKnown":`)) {
		return bareRuleset(b)
	}
	k := &lastKnown{}
	first, body, _ := bytes.Cut(b, []byte("\n"))
	if err := json.Unmarshal(first, &k.head); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if k.Format != lastKnownFormat {
		return nil, fmt.Errorf("%w: their format is %d, and this version reads %d", ErrDamaged, k.Format, lastKnownFormat)
	}
	body = bytes.TrimSuffix(body, []byte("\n"))
	sum := sha256.Sum256(body)
	switch {
	case len(body) != k.Size:
		return nil, fmt.Errorf("%w: %d bytes of %d are there", ErrDamaged, len(body), k.Size)
	case hex.EncodeToString(sum[:]) != k.SHA256:
		return nil, fmt.Errorf("%w: the checksum is not theirs", ErrDamaged)
	}
	var err error
	if k.rules, err = pack(body); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return k, nil
}

func bareRuleset(b []byte) (*lastKnown, error) {
	rules, err := pack(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if rules.ruleset.Environment == "" || rules.flags == nil {
		return nil, fmt.Errorf("%w: they are no ruleset of an environment", ErrDamaged)
	}
	return &lastKnown{rules: rules}, nil
}

// readLastKnown reads the file, nil when there is none, as at the first start.
func readLastKnown(path string) (*lastKnown, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var k *lastKnown
	if err == nil {
		k, err = decodeLastKnown(b)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return k, nil
}

// writeWhole puts a file in the place of another, so that a reader, or whoever
// comes after a crash, finds one of both. The folder is of one process, which
// writes a file in one place: what a crash has left is overwritten.
func writeWhole(path string, b []byte) error {
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the next one overwrites it anyway
	}
	return err
}
