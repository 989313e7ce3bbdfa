package server

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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
	const body = `{"context":{"targetingKey":"visitor-1","ring":"beta","country":"DE"}}`
	_, answer, _ := h.ask("sdk", "POST", "/ofrep/v1/evaluate/flags/shop.checkout", body)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	defer bare.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

	var ours, theirs time.Duration
	for b.Loop() {
		const slice = 500
		began := time.Now()
		volley(b, client, h.URL+"/ofrep/v1/evaluate/flags/shop.checkout", h.tokens["sdk"], body, slice)
		middle := time.Now()
		volley(b, client, bare.URL, h.tokens["sdk"], body, slice)
		ours, theirs = ours+middle.Sub(began), theirs+time.Since(middle)
	}
	b.ReportMetric(float64(theirs)/float64(ours), "of-bare")
	b.ReportMetric(500*float64(b.N)/ours.Seconds(), "evaluations/s")
	b.ReportMetric(0, "ns/op")
}

// volley sends n requests over 8 connections.
func volley(b *testing.B, client *http.Client, url, token, body string, n int) {
	done := make(chan error, 8)
	for c := range 8 {
		go func() {
			var err error
			for i := c; i < n && err == nil; i += 8 {
				err = shoot(client, url, token, body)
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
}

func shoot(client *http.Client, url, token, body string) error {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	answer, err := client.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}
