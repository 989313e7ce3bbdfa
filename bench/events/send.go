package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// send sends requests from every connection, one after the other, for a time.
func (o options) send(ctx context.Context, s *server, d time.Duration) (load, error) {
	var (
		mu   sync.Mutex
		all  load
		fail error
		wait sync.WaitGroup
	)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: o.clients}}
	defer client.CloseIdleConnections()
	began, before := time.Now(), s.worked()
	for i := range o.clients {
		wait.Go(func() {
			b := newBody(s.revision, rand.New(rand.NewPCG(o.seed, uint64(i))))
			l, err := s.feed(ctx, client, b, began.Add(d))
			mu.Lock()
			defer mu.Unlock()
			all.events, all.busy, all.times = all.events+l.events, all.busy+l.busy, append(all.times, l.times...)
			all.why = cmp.Or(all.why, l.why)
			if err != nil {
				fail = err
			}
		})
	}
	wait.Wait()
	all.took, all.work = time.Since(began), s.worked().since(before)
	return all, fail
}

// feed sends until a time. A request that is told to come back is sent again:
// its events are not acknowledged yet.
func (s *server) feed(ctx context.Context, client *http.Client, b *body, end time.Time) (l load, err error) {
	for now := time.Now(); now.Before(end) && ctx.Err() == nil; now = time.Now() {
		events := b.next(now)
		status, answer, err := s.deliver(ctx, client, events)
		for err == nil && status == http.StatusServiceUnavailable && time.Now().Before(end) {
			l.busy, l.why = l.busy+1, string(bytes.TrimSpace(answer))
			time.Sleep(100 * time.Millisecond)
			status, answer, err = s.deliver(ctx, client, events)
		}
		switch {
		case err != nil:
			return l, err
		case status == http.StatusServiceUnavailable:
			return l, nil
		case status != http.StatusAccepted:
			return l, fmt.Errorf("sending events: status %d", status)
		}
		l.events += requestEvents
		l.times = append(l.times, time.Since(now))
	}
	return l, ctx.Err()
}

func (s *server) deliver(ctx context.Context, client *http.Client, events []byte) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Address+"/v1/events", bytes.NewReader(events))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+s.sdk)
	r.Header.Set("Content-Type", "application/x-ndjson")
	response, err := client.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}
