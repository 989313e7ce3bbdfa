package engine

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// The driver opens every connection with this statement and reads the answer
// at the newest revision of the protocol that it knows. The answer says that
// the server's revision is 0, and from then on the driver reads and writes
// plain Native blocks, which is what the library produces and takes.
const (
	helloSQL      = "SELECT displayName(), version(), revision(), timezone()"
	helloRevision = "54460" // client_protocol_version that the answer is encoded for
	helloName     = "sluice"
)

// greet asks the engine for its version and time zone and returns the answer
// to helloSQL.
func greet(h *handle) ([]byte, error) {
	var version, zone string
	err := h.query("SELECT version(), timezone()", "TSVRaw", nil, func(b []byte) error {
		version, zone, _ = strings.Cut(strings.TrimSpace(string(b)), "\t")
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("asking the engine for its version: %w", err)
	}
	return helloBlock(version, zone), nil
}

// helloBlock encodes the answer as one Native block of one row at revision
// 54460: block info, columns, rows, then per column name, type, a zero for
// the default serialization, and the value.
func helloBlock(version, zone string) []byte {
	// Block info: field 1, not overflowed; field 2, bucket -1; end.
	b := []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0}
	b = append(b, 4, 1)
	b = append(column(b, "displayName()", "String"), text(helloName)...)
	b = append(column(b, "version()", "String"), text(version)...)
	b = append(column(b, "revision()", "UInt32"), 0, 0, 0, 0)
	return append(column(b, "timezone()", "String"), text(zone)...)
}

func column(b []byte, name, kind string) []byte {
	return append(append(append(b, text(name)...), text(kind)...), 0)
}

// text encodes a string with its length before it.
func text(s string) []byte {
	return append(binary.AppendUvarint(nil, uint64(len(s))), s...)
}
