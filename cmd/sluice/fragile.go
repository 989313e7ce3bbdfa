//go:build !chaos

package main

import (
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/engine"
)

// fragile is where a program built with -tags chaos dies when it is told to;
// this one cannot.
type fragile struct{}

func newFragile(string, func() engine.Status) fragile { return fragile{} }

func (fragile) kv(kv ingest.KV) ingest.KV         { return kv }
func (fragile) store(s ingest.Store) ingest.Store { return s }
