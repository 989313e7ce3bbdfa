package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/sluice-hq/sluice/internal/notify"
)

// webhooksListenCmd is a receiver, for whoever tries webhooks out or writes one
// of his own.
type webhooksListenCmd struct {
	Listen string `help:"Address to listen on." default:"127.0.0.1:8399" env:"SLUICE_WEBHOOK_LISTEN"`
	Secret string `help:"Refuse what is not signed with it (whsec_…); without it, signatures are not looked at." env:"SLUICE_WEBHOOK_SECRET"`
	Fail   int    `help:"Refuse so many deliveries first, with 503, to see them come again."`
}

// Run prints a line per delivery until it is interrupted.
func (c webhooksListenCmd) Run(ctx context.Context) error {
	l := &ear{fail: c.Fail}
	if c.Secret != "" {
		var err error
		if l.secret, err = notify.ParseSecret(c.Secret); err != nil {
			return err
		}
	}
	at, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", c.Listen, err)
	}
	s := bounded(l)
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.Serve(at); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// ear takes deliveries and prints them.
type ear struct {
	secret notify.Secret // nil: whatever comes
	mu     sync.Mutex
	fail   int
}

// ServeHTTP implements http.Handler.
func (l *ear) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	id := r.Header.Get("webhook-id")
	if err == nil && l.secret != nil {
		id, err = l.secret.Verify(r.Header, body, now())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err != nil:
		fmt.Println("refused:", err)
		http.Error(w, err.Error(), http.StatusUnauthorized)
	case l.fail > 0:
		l.fail--
		fmt.Println("failed, as asked:", id)
		http.Error(w, "as asked", http.StatusServiceUnavailable)
	default:
		fmt.Println(heard(id, body))
	}
}

// heard is a line about a delivery: of any format, what can be read of it.
func heard(id string, body []byte) string {
	var m struct {
		Type string `json:"type"`
		Text string `json:"text"` // of Slack, and of an annotation
		Data struct {
			Title string `json:"title"`
			Text  string `json:"text"`
			Link  string `json:"link"`
		} `json:"data"`
	}
	if json.Unmarshal(body, &m) != nil {
		return fmt.Sprintf("%s: %d bytes that are no JSON", id, len(body))
	}
	if m.Data.Title == "" {
		return m.Text
	}
	return fmt.Sprintf("%s %s\n  %s\n  %s\n  %s", m.Type, id, m.Data.Title, m.Data.Text, m.Data.Link)
}
