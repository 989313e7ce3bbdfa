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
//	codec := ingest.NewCodec()
//	in := &ingest.Intake{Door: door, Packers: []*ingest.Packer{ingest.NewPacker(facts, codec, instance)}}
//	receipt, err := in.Accept(ctx, ingest.Request{Environment: "production", Body: body}, now)
//
//	l := &ingest.Loader{Shard: "facts-0", Stream: facts, KV: kv, Store: warehouse, Dead: dead, Decoder: codec}
//	err = l.Run(ctx)
//	mark := l.Progress() // up to where everything is countable
package ingest
