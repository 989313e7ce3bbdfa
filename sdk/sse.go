package sdk

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// message is one server-sent event.
type message struct {
	id, kind string
	data     []byte
}

// mostMessage bounds one event: beyond it, what comes is no ruleset.
const mostMessage = 256 << 20

var errLongMessage = errors.New("reading the stream: an event is longer than 256 MiB")

// messages reads a stream of server-sent events (HTML Living Standard, section
// 9.2.6).
type messages struct {
	from  *bufio.Reader
	heard func()        // called for every line, comments too: the server lives
	retry time.Duration // that the server last asked for, before coming back
}

func newMessages(r io.Reader, heard func()) *messages {
	return &messages{from: bufio.NewReaderSize(r, 16<<10), heard: heard}
}

// next returns the next event that has data.
func (m *messages) next() (message, error) {
	var e message
	for {
		line, err := m.line()
		switch {
		case err != nil:
			return message{}, err // an event that was not ended does not count
		case len(e.data) > mostMessage:
			return message{}, errLongMessage
		case len(line) > 0:
			m.field(&e, line)
		case e.data != nil:
			return e, nil
		default:
			e = message{}
		}
	}
}

// line reads one line without its end. It is valid until the next is read.
func (m *messages) line() ([]byte, error) {
	var long []byte
	for {
		part, err := m.from.ReadSlice('\n')
		switch {
		case err == nil && long == nil:
			m.heard()
			return bytes.TrimRight(part, "\r\n"), nil
		case err == nil:
			m.heard()
			return bytes.TrimRight(append(long, part...), "\r\n"), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(long) > mostMessage:
			return nil, errLongMessage
		}
		m.heard() // a large event comes in many pieces
		long = append(long, part...)
	}
}

// field reads one line; a comment has no name.
func (m *messages) field(e *message, line []byte) {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "id":
		e.id = string(value)
	case "event":
		e.kind = string(value)
	case "data":
		if e.data != nil {
			e.data = append(e.data, '\n')
		}
		e.data = append(e.data, value...)
	case "retry":
		if ms, err := strconv.Atoi(string(value)); err == nil && ms >= 0 {
			m.retry = min(time.Duration(ms)*time.Millisecond, time.Minute)
		}
	}
}
