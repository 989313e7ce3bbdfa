package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkOFREP sends single evaluations over loopback HTTP, and in the same
// run the same requests to a handler that only reads the body and answers as
// many bytes. The metric "of-bare" is the ratio of their rates: 1 would be an
// evaluation that costs nothing. Both share the cores with the client.
func BenchmarkOFREP(b *testing.B) {
	h := newHouse(b)
	h.want("editor", "POST", "/api/v1/apply", documents, http.StatusOK, "")
	beside(b, h, "/ofrep/v1/evaluate/flags/shop.checkout")
}

// BenchmarkOFREPBulkOfHundred is the same for the answers of a hundred flags.
func BenchmarkOFREPBulkOfHundred(b *testing.B) {
	h := newHouse(b)
	var all strings.Builder
	for i := range 100 {
		fmt.Fprintf(&all, "%s\n---\n", strings.ReplaceAll(documents, "shop.checkout", fmt.Sprintf("shop.checkout-%d", i)))
	}
	h.want("editor", "POST", "/api/v1/apply", all.String(), http.StatusOK, "")
	beside(b, h, "/ofrep/v1/evaluate/flags")
}

// beside sends evaluations to a house and, in turns, to a bare handler.
func beside(b *testing.B, h *house, path string) {
	const body = `{"context":{"targetingKey":"visitor-1","ring":"beta","country":"DE"}}`
	_, answer, _ := h.ask("sdk", "POST", path, body)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		if len(answer) > buffered { // as net/http does by itself for shorter ones
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		}
		_, _ = io.WriteString(w, answer)
	}))
	defer bare.Close()
	request := post(path, h.tokens["sdk"], body)
	here, there := dial(b, h.URL, 32), dial(b, bare.URL, 32)

	var ours, theirs time.Duration
	for b.Loop() {
		const slice = 500
		began := time.Now()
		volley(b, here, request, slice)
		middle := time.Now()
		volley(b, there, request, slice)
		ours, theirs = ours+middle.Sub(began), theirs+time.Since(middle)
	}
	b.ReportMetric(float64(theirs)/float64(ours), "of-bare")
	b.ReportMetric(500*float64(b.N)/ours.Seconds(), "evaluations/s")
	b.ReportMetric(0, "ns/op")
}

// volley sends the request n times over several connections that stay open, as a load
// generator does: it writes bytes made beforehand and reads an answer up to its
// Content-Length, so that the server is what is measured.
func volley(b *testing.B, conns []*bufio.ReadWriter, request []byte, n int) {
	done := make(chan error, len(conns))
	for c, conn := range conns {
		go func() {
			var err error
			for i := c; i < n && err == nil; i += len(conns) {
				err = shoot(conn, request)
			}
			done <- err
		}()
	}
	for range conns {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

func shoot(conn *bufio.ReadWriter, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	size, first := 0, true
	for {
		line, err := conn.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 200 ")) {
			return fmt.Errorf("answered %s", line)
		}
		first = false
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			size, err = strconv.Atoi(string(bytes.TrimSpace(value)))
			if err != nil {
				return err
			}
		}
		if len(line) == 2 {
			break
		}
	}
	_, err := conn.Discard(size)
	return err
}

// dial opens connections to a server.
func dial(b *testing.B, url string, n int) []*bufio.ReadWriter {
	conns := make([]*bufio.ReadWriter, n)
	for i := range conns {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = c.Close() })
		conns[i] = bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c))
	}
	return conns
}

// post is a request as its bytes.
func post(path, token, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		path, token, len(body), body)
}
