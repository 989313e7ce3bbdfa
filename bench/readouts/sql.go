package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/sluice-hq/sluice/internal/engine"
)

// sql carries out a statement beside the warehouse: rows are made, and the
// straightforward join is asked, in ways that the product has no door for.
func sql(ctx context.Context, s *engine.Supervisor, statement string) (string, error) {
	settings := url.Values{"max_insert_threads": {"2"}, "max_partitions_per_insert_block": {"0"}, "wait_end_of_query": {"1"}}
	if strings.HasPrefix(statement, "SELECT") {
		settings.Set("readonly", "1")
	}
	client := http.Client{Transport: &http.Transport{DialContext: s.Dial, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://engine/?"+settings.Encode(), strings.NewReader(statement))
	if err != nil {
		return "", err
	}
	answer, err := client.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the engine answers %s: %.300s", answer.Status, text)
	}
	return string(text), err
}

// statements carries out some, one after the other.
func statements(ctx context.Context, s *engine.Supervisor, all []string) error {
	for _, statement := range all {
		if _, err := sql(ctx, s, statement); err != nil {
			return err
		}
	}
	return nil
}
