package sdk

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
)

// balanced fails the test unless every event that was added is accounted for.
func balanced(t *testing.T, s Stats) {
	t.Helper()
	if s.Added != s.Sent+s.Refused+s.Dropped+s.Waiting {
		t.Errorf("it does not add up: %+v", s)
	}
}

// TestAgain: a provider that was shut down answers on, does not call itself
// ready for ever, and begins again, with what waited on disk counted once.
func TestAgain(t *testing.T) {
	dir := t.TempDir()
	bubble(t, func(t *testing.T) {
		b := &broadcast{dead: true}
		p := following(t, b, func(c *Config) { c.Dir, c.Bootstrap = dir, encoded(t, comparing(7, 1)) })
		for range 3 {
			if err := p.Init(openfeature.EvaluationContext{}); err != nil {
				t.Fatal(err)
			}
			p.Track(t.Context(), "purchase", openfeature.NewEvaluationContext("u-1", nil), openfeature.TrackingEventDetails{})
			began := time.Now()
			if err := p.ShutdownWithContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("with a folder it waits %v for a server that is not there", took)
			}
			balanced(t, p.Stats())
		}
		if s := p.Stats(); s.Added != 3 || s.Waiting != 3 {
			t.Errorf("three events wait: %+v", s)
		}
		b.set(func() { b.dead = false })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		b.say(t, hello(7))
		if err := p.Flush(t.Context()); err != nil || p.Status().State != Ready {
			t.Errorf("%v, %+v", err, p.Status())
		}
		if err := p.ShutdownWithContext(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Hour)
		s := p.Stats()
		if balanced(t, s); s.Sent != 3 || s.State != Stale || s.Why != errShut.Error() || p.asks("shop.flag-0000", "u-1").Error() != nil {
			t.Errorf("an hour after the shutdown: %+v", s)
		}
	})
}

// TestShutdownEndsWaits: who waits for flags, or for events to be sent, does not
// wait for a provider that was shut down.
func TestShutdownEndsWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		p := following(t, &broadcast{dead: true}, func(c *Config) { c.Wait = time.Hour })
		began, initialised, flushed := time.Now(), make(chan error, 1), make(chan error, 1)
		go func() { initialised <- p.Init(openfeature.EvaluationContext{}) }()
		time.Sleep(time.Second)
		p.Track(t.Context(), "purchase", openfeature.NewEvaluationContext("u-1", nil), openfeature.TrackingEventDetails{})
		go func() { flushed <- p.Flush(context.Background()) }()
		time.Sleep(time.Second)
		if err := p.ShutdownWithContext(t.Context()); err == nil || !strings.Contains(err.Error(), "1 events were not sent") {
			t.Errorf("got %v", err)
		}
		if err := <-initialised; err == nil {
			t.Error("it is initialised, and there are no flags")
		}
		<-flushed // the event is dropped by now, so that it may say that none waits
		if took := time.Since(began); took > time.Minute {
			t.Errorf("it took %v", took)
		}
	})
}

// TestShutdownConfesses: the server hears before the end of what was dropped.
func TestShutdownConfesses(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := &till{kept: map[string]int{}}
		c := config(func(r *http.Request) (*http.Response, error) {
			if r.Method == http.MethodGet {
				return nil, errNoNetwork // of the stream
			}
			return s.take(r)
		})
		c.Bootstrap, c.Report, c.Queue.Events = encoded(t, comparing(7, 1)), time.Hour, 5
		p, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		for range 9 {
			p.Track(t.Context(), "purchase", openfeature.NewEvaluationContext("u-1", nil), openfeature.TrackingEventDetails{})
		}
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		if err := p.ShutdownWithContext(t.Context()); err != nil {
			t.Error(err)
		}
		told := 0
		for text := range s.kept {
			if strings.Contains(text, droppedReading) {
				told++
			}
		}
		if told != 1 {
			t.Errorf("%d readings of what was dropped in %v", told, s.kept)
		}
	})
}

// TestAnotherFolder: a process that was given the folder of another one reads
// what is there, and writes nothing.
func TestAnotherFolder(t *testing.T) {
	dir := t.TempDir()
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	path, theirs := filepath.Join(dir, lastKnownFile), encoded(t, comparing(5, 1))
	if err := os.WriteFile(path, theirs, 0o600); err != nil {
		t.Fatal(err)
	}
	bubble(t, func(t *testing.T) {
		b := &broadcast{}
		p := following(t, b, func(c *Config) { c.Dir = dir })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil || p.Status().Source != FromLastKnown {
			t.Fatalf("%v, %+v", err, p.Status())
		}
		b.say(t, hello(9)+put(t, "put", comparing(9, 1)))
		_ = p.ShutdownWithContext(t.Context())
		if got, err := os.ReadFile(path); string(got) != string(theirs) || err != nil || p.Status().Revision != 9 {
			t.Errorf("the file was written, %v", err)
		}
	})
}

// TestAnotherEnvironment: a folder that had the token of another environment
// does not make its flags those of this one, also where no revision is lacking.
func TestAnotherEnvironment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		staging := comparing(7, 2)
		staging.Environment = "staging"
		b := &broadcast{}
		p := following(t, b, func(c *Config) { c.Bootstrap = encoded(t, staging) })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		b.say(t, hello(7))
		if v := p.Status(); v.State != Stale || !strings.Contains(v.Why, "another environment") {
			t.Errorf("staging's flags stand for production's: %+v", v)
		}
		b.reopened(t, 1)
		b.say(t, hello(7)+put(t, "put", comparing(7, 1)))
		if v := p.Status(); v.State != Ready || v.Environment != "production" || v.Flags != 1 || b.last[0] != "7" || b.last[1] != "" {
			t.Errorf("%+v; asked after %q", v, b.last)
		}
	})
}

// TestAnotherServer: flags of another address are answered from, and are not
// what its revisions say that they are: all flags are asked for.
func TestAnotherServer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := &broadcast{}
		p := following(t, b, func(c *Config) { c.URL, c.Bootstrap = "http://other.test/", encoded(t, comparing(7, 1)) })
		if err := p.Init(openfeature.EvaluationContext{}); err != nil || p.asks("shop.flag-0000", "u-1").Error() != nil {
			t.Fatal(err)
		}
		b.say(t, hello(7)+put(t, "put", comparing(7, 2)))
		b.hang()
		b.reopened(t, 1)
		if v := p.Status(); v.Flags != 2 || b.last[0] != "" || b.last[1] != "7" {
			t.Errorf("%+v; asked after %q", v, b.last)
		}
	})
}

// TestClients: the application's own transport is used as it is, its timeout is
// not, and connections of the provider's own end with it.
func TestClients(t *testing.T) {
	given := &http.Client{Timeout: time.Second}
	c := config(nil)
	c.Client = given
	if a := newAPI(&c); a.client.Timeout != 0 || given.Timeout != time.Second {
		t.Errorf("streams end after %v; the application's client has %v", a.client.Timeout, given.Timeout)
	}
	standard := http.DefaultTransport
	defer func() { http.DefaultTransport = standard }()
	http.DefaultTransport = exchange(offline)
	c.Client = nil
	if _, err := newAPI(&c).client.Get("http://sluice.test"); err == nil || !strings.Contains(err.Error(), errNoNetwork.Error()) {
		t.Errorf("the application's way out is not taken: %v", err)
	}
}

func TestConnectionsEnd(t *testing.T) {
	connections := make(chan int, 1000)
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			connections <- +1
		case http.StateClosed:
			connections <- -1
		}
	}
	s.Start()
	defer s.Close()
	p, err := New(Config{URL: s.URL, Token: "sls_test", Wait: time.Millisecond, Report: -1})
	if err != nil {
		t.Fatal(err)
	}
	_ = p.Init(openfeature.EvaluationContext{}) // it says that there are no flags
	open := <-connections
	<-p.EventChannel() // the server has answered
	p.Shutdown()
	for open > 0 {
		select {
		case more := <-connections:
			open += more
		case <-time.After(2 * time.Minute):
			t.Fatalf("%d connections are left open", open)
		}
	}
}
