package engine

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// library is the part of libchdb's C interface (chdb.h, 26.7) that the engine
// uses. Handles and results are pointers to C memory.
type library struct {
	version     func() string
	signals     func(enabled bool)
	connect     func(argc int32, argv unsafe.Pointer) *unsafe.Pointer
	closeConn   func(conn *unsafe.Pointer)
	query       func(conn unsafe.Pointer, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr, names, nameLens, values, valueLens unsafe.Pointer, count uintptr) unsafe.Pointer
	insert      func(conn unsafe.Pointer, sql *byte, sqlLen uintptr, format *byte, formatLen uintptr) unsafe.Pointer
	insertError func(stream unsafe.Pointer) string
	appendData  func(stream unsafe.Pointer, data *byte, n uintptr) int32
	done        func(stream unsafe.Pointer) unsafe.Pointer
	cancel      func(stream unsafe.Pointer)
	freeStream  func(stream unsafe.Pointer)
	buffer      func(result unsafe.Pointer) *byte
	length      func(result unsafe.Pointer) uintptr
	errorText   func(result unsafe.Pointer) string
	written     func(result unsafe.Pointer) uint64
	freeResult  func(result unsafe.Pointer)
}

// load opens libchdb and binds what the engine uses of it. A file that is no
// such library, or an older one, is an error that names the missing function.
func load(path string) (*library, error) {
	so, err := purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_GLOBAL)
	if err != nil {
		return nil, fmt.Errorf("loading the engine's library: %w", err)
	}
	l := &library{}
	for name, f := range map[string]any{
		"chdb_version":                     &l.version,
		"chdb_set_signal_handlers_enabled": &l.signals,
		"chdb_connect":                     &l.connect,
		"chdb_close_conn":                  &l.closeConn,
		"chdb_query_with_params_n":         &l.query,
		"chdb_stream_insert_n":             &l.insert,
		"chdb_stream_insert_error":         &l.insertError,
		"chdb_stream_append":               &l.appendData,
		"chdb_stream_done":                 &l.done,
		"chdb_stream_cancel_insert":        &l.cancel,
		"chdb_destroy_insert_stream":       &l.freeStream,
		"chdb_result_buffer":               &l.buffer,
		"chdb_result_length":               &l.length,
		"chdb_result_error":                &l.errorText,
		"chdb_result_rows_written":         &l.written,
		"chdb_destroy_query_result":        &l.freeResult,
	} {
		symbol, err := purego.Dlsym(so, name)
		if err != nil {
			return nil, fmt.Errorf("binding %s of %s: %w", name, path, err)
		}
		purego.RegisterFunc(f, symbol)
	}
	// Before anything else: the engine's handlers would take over the signals
	// that the Go runtime preempts goroutines with.
	l.signals(false)
	return l, nil
}

// vector is a C array of byte strings with their lengths. It pins its memory
// until free.
type vector struct {
	at   []*byte
	lens []uintptr
	pin  runtime.Pinner
}

func newVector(texts []string) *vector {
	v := &vector{}
	for _, t := range texts {
		// The extra byte also gives an empty text an address.
		b := append([]byte(t), 0)
		v.pin.Pin(&b[0])
		v.at, v.lens = append(v.at, &b[0]), append(v.lens, uintptr(len(t)))
	}
	v.at, v.lens = append(v.at, nil), append(v.lens, 0)
	return v
}

func (v *vector) texts() unsafe.Pointer { return unsafe.Pointer(&v.at[0]) }
func (v *vector) sizes() unsafe.Pointer { return unsafe.Pointer(&v.lens[0]) }
func (v *vector) free()                 { v.pin.Unpin() }
