package ports

import (
	"fmt"
	"net"
	"testing"
)

// TestFree: a port can be listened on, and is none that the system may give to a
// connection.
func TestFree(t *testing.T) {
	seen := map[int]bool{}
	for range 20 {
		port, err := Free()
		if err != nil {
			t.Fatal(err)
		}
		if port < first || port >= last {
			t.Errorf("port %d is not between %d and %d", port, first, last)
		}
		l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // held, so that the next one is another
		if seen[port] {
			t.Errorf("port %d comes twice", port)
		}
		seen[port] = true
	}
}
