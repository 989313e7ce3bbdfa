package enginetest

import (
	"context"
	"crypto/subtle"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
)

// Loopback serves an engine on TCP as a ClickHouse server serves its HTTP
// port, to whoever knows the password of the user sluice. It stands in for a
// server elsewhere.
func Loopback(dial func(ctx context.Context, network, addr string) (net.Conn, error), password string) http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "127.0.0.1" },
		Transport: &http.Transport{DialContext: dial},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, key, _ := r.BasicAuth() // as the driver does without TLS
		if user != "sluice" || subtle.ConstantTimeCompare([]byte(key), []byte(password)) != 1 {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, "Code: 516. DB::Exception: "+user+": Authentication failed. (AUTHENTICATION_FAILED)\n")
			return
		}
		proxy.ServeHTTP(w, r)
	})
}
