// Package harness drives the whole loop on memory parts: people's documents
// and commands, units that are evaluated by the flags as they are, the facts
// they leave behind, the controller, and a clock that only a script moves. It
// holds tests alone, and nothing that the service runs.
//
// A story is a text file in testdata: commands, each followed by a line
// "----" and what the house said. Units get their variant from the compiled
// flags, so that a story is also a test of coverage and arms.
//
//	start
//	----
//	1. expand to canary: Started by person:ana; the first stage is canary
//	   flag gate: allocate canary, 10% of users in epoch 1: gate_40 50%, gate_30 50%
//
//	traffic users=500 rounds=40 until=rolledBack day_7_retention=0.19:0.15
//	----
//	2. hold: 176 of 500 units in the smaller arm
//
// Rewrite the outputs with "go test ./internal/harness -update", and read the
// diff: it is what a release owner would see change.
package harness
