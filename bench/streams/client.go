package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// client is one listener, which comes back whenever its stream ends.
type client struct {
	crowd *crowd
	seen  atomic.Uint64 // newest revision
	at    atomic.Int64  // when it came, in nanoseconds of the epoch
}

// reached returns when the newest revision came.
func (c *client) reached() time.Time { return time.Unix(0, c.at.Load()) }

func (c *client) run() {
	for c.crowd.life.Err() == nil {
		wait, err := c.listen()
		if err == nil || wait == 0 {
			wait = rand.N(time.Second) // impatient: the server has to hold its own
		}
		select {
		case <-time.After(wait):
		case <-c.crowd.life.Done():
		}
	}
}

// listen opens a stream and reads it to its end. It returns how long the
// server asked it to wait, 0 when it did not.
func (c *client) listen() (wait time.Duration, err error) {
	conn, err := net.Dial("tcp", c.crowd.address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	ask := fmt.Sprintf("GET /api/v1/stream?environment=production HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nX-Sluice-SDK: bench/1\r\n",
		c.crowd.address, c.crowd.token)
	if seen := c.seen.Load(); seen > 0 {
		ask += "Last-Event-ID: " + strconv.FormatUint(seen, 10) + "\r\n"
	}
	if _, err := conn.Write([]byte(ask + "\r\n")); err != nil {
		return 0, err
	}
	r := bufio.NewReaderSize(conn, 4<<10)
	if wait, err = c.head(r); err != nil {
		return wait, err
	}
	return 0, c.read(r)
}

// head reads the status, and how long to wait when it is not 200.
func (c *client) head(r *bufio.Reader) (time.Duration, error) {
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		return 0, err
	}
	if answer.StatusCode == http.StatusOK {
		return 0, nil
	}
	c.crowd.refused.Add(1)
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return time.Duration(seconds)*time.Second + rand.N(time.Second), errors.New(answer.Status)
}

// read notes every event's id and when it came.
func (c *client) read(r *bufio.Reader) error {
	for {
		line, more, err := r.ReadLine()
		if err != nil {
			return err
		}
		if id, ok := bytes.CutPrefix(line, []byte("id: ")); ok && !more {
			revision, err := strconv.ParseUint(string(id), 10, 64)
			if err != nil {
				return err
			}
			c.at.Store(time.Now().UnixNano())
			c.seen.Store(revision)
		}
	}
}
