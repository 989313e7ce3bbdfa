package engine

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unsafe"
)

// session is what a handle was opened for. Settings never change on a handle:
// a statement with other settings gets another handle, so that nothing of one
// statement can leak into the next.
type session struct {
	database string
	settings map[string]string
}

// readonly says that the session may not change anything, its own settings
// included. ClickHouse knows this level as readonly = 1.
func (s session) readonly() bool { return s.settings["readonly"] == "1" }

func (s session) equal(o session) bool {
	return s.database == o.database && maps.Equal(s.settings, o.settings)
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// statements returns the SQL that brings a new handle into the session.
// readonly comes last, since it cannot be unset.
func (s session) statements() ([]string, error) {
	var assign []string
	for _, name := range slices.Sorted(maps.Keys(s.settings)) {
		if !settingName.MatchString(name) {
			//lint:ignore ST1005 the driver parses the code out of ClickHouse's own form
			return nil, fmt.Errorf("Code: 115. DB::Exception: %q is not the name of a setting. (UNKNOWN_SETTING)", name)
		}
		if name != "readonly" {
			assign = append(assign, name+" = "+quote(s.settings[name], '\''))
		}
	}
	var out []string
	if s.database != "" {
		out = append(out, "USE "+quote(s.database, '`'))
	}
	if len(assign) > 0 {
		out = append(out, "SET "+strings.Join(assign, ", "))
	}
	if level, ok := s.settings["readonly"]; ok {
		out = append(out, "SET readonly = "+quote(level, '\''))
	}
	return out, nil
}

// quote writes a ClickHouse literal or identifier.
func quote(s string, mark byte) string {
	m := string(mark)
	return m + strings.NewReplacer(`\`, `\\`, m, `\`+m).Replace(s) + m
}

// handle is one connection to the engine inside this process. It runs one
// statement at a time.
type handle struct {
	lib  *library
	conn *unsafe.Pointer
	in   session // what it was opened for
}

// connect opens a handle. Every handle of a process must name the same path.
func connect(lib *library, args []string) (*handle, error) {
	argv := newVector(args)
	defer argv.free()
	conn := lib.connect(int32(len(args)), argv.texts())
	if conn == nil || *conn == nil {
		return nil, errors.New("the engine did not open its data directory; another engine may be using it")
	}
	return &handle{lib: lib, conn: conn}, nil
}

func (h *handle) close() { h.lib.closeConn(h.conn) }

// enter brings a new handle into a session.
func (h *handle) enter(s session) error {
	sql, err := s.statements()
	if err != nil {
		return err
	}
	for _, q := range sql {
		if err := h.query(q, "Null", nil, nil); err != nil {
			return err
		}
	}
	h.in = s
	return nil
}

// query runs one statement with its parameters and hands the encoded result
// to use. The bytes are the engine's own memory: they are gone when use
// returns. An error of the engine is its text, "Code: 60. DB::Exception: …".
func (h *handle) query(sql, format string, params map[string]string, use func([]byte) error) error {
	names := slices.Sorted(maps.Keys(params))
	values := make([]string, len(names))
	for i, n := range names {
		values[i] = params[n]
	}
	n, v := newVector(names), newVector(values)
	defer n.free()
	defer v.free()
	text, form := []byte(sql+"\x00"), []byte(format+"\x00")
	r := h.lib.query(*h.conn, &text[0], uintptr(len(sql)), &form[0], uintptr(len(format)),
		n.texts(), n.sizes(), v.texts(), v.sizes(), uintptr(len(names)))
	defer h.lib.freeResult(r)
	if text := h.lib.errorText(r); text != "" {
		return errors.New(text)
	}
	if use == nil {
		return nil
	}
	return use(h.bytes(r))
}

func (h *handle) bytes(result unsafe.Pointer) []byte {
	n := h.lib.length(result)
	if n == 0 {
		return nil
	}
	return unsafe.Slice(h.lib.buffer(result), n)
}

// insert runs an INSERT whose rows come from data in the given format, and
// returns the number of rows written. When data ends with an error nothing
// more is written and the insert is cancelled; the engine keeps the blocks
// that were complete, which is why a repeat carries the same token.
func (h *handle) insert(sql, format string, data io.Reader) (uint64, error) {
	text, form := []byte(sql+"\x00"), []byte(format+"\x00")
	st := h.lib.insert(*h.conn, &text[0], uintptr(len(sql)), &form[0], uintptr(len(format)))
	defer h.lib.freeStream(st)
	if text := h.lib.insertError(st); text != "" {
		return 0, errors.New(text)
	}
	if err := h.feed(st, data); err != nil {
		h.lib.cancel(st)
		return 0, err
	}
	// done also reports what a failed append was about.
	r := h.lib.done(st)
	defer h.lib.freeResult(r)
	if text := h.lib.errorText(r); text != "" {
		return 0, errors.New(text)
	}
	return h.lib.written(r), nil
}

// chunk is how much of an insert's body is copied into the engine at once.
const chunk = 1 << 20

func (h *handle) feed(st unsafe.Pointer, data io.Reader) error {
	buf := make([]byte, chunk)
	for {
		n, err := fill(buf, data)
		if n > 0 && h.lib.appendData(st, &buf[0], uintptr(n)) != 0 {
			return nil // the engine has failed already; done says why
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the rows of an insert: %w", err)
		}
	}
}

// fill reads until buf is full. Unlike io.ReadFull it keeps a body that ends
// (io.EOF) apart from one that was cut off (io.ErrUnexpectedEOF).
func fill(buf []byte, r io.Reader) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	return n, err
}
