// Package ingest holds the facts that come from outside (exposures, metric
// events, deployments, readings) on their way to the warehouse, and the catalog
// of declared metrics. It decides what a fact is, refuses what is none, packs
// facts into messages of a stream and loads the messages into a store so that
// each fact is counted exactly once or stands in the dead letters.
//
// It never evaluates a flag, never computes a statistic and never speaks to a
// database or a broker itself: Stream, KV and Store are interfaces with an
// in-memory version beside them, and package ingesttest holds the suites that
// every version must pass.
//
// The way of a fact:
//
//	request ─► Intake.Accept: inflate, Door (validate, hash units, resolve the
//	           rollout) ─► Packer (many requests, one message) ─► Stream, fsync ─► 202
//	Stream  ─► Loader: intent, insert, read back, advance ─► Store
//	                  └─► dead letters, acknowledged before the rest moves on
//
// A small example:
//
//	in := &ingest.Intake{Door: door, Packers: []*ingest.Packer{packer}}
//	receipt, err := in.Accept(ctx, "production", ingest.Body{Reader: r.Body}, now)
//
//	l := &ingest.Loader{Shard: "facts-0", Stream: facts, KV: kv, Store: warehouse, Dead: dead, Decoder: ingest.PackDecoder{}}
//	err = l.Run(ctx)
//	mark := l.Progress() // what is countable
package ingest
