package main

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
)

// repeat returns what so many runs gave, in their order. Run i draws from the
// seed and i alone, so that neither the number of processors nor what finishes
// first changes a result.
func repeat[T any](seed uint64, runs int, one func(*rand.Rand) T) []T {
	out := make([]T, runs)
	var next atomic.Int64
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := next.Add(1) - 1; i < int64(runs); i = next.Add(1) - 1 {
				out[i] = one(rand.New(rand.NewPCG(seed, uint64(i))))
			}
		})
	}
	all.Wait()
	return out
}

// share returns in how many of the results something holds, as a share.
func share[T any](of []T, holds func(T) bool) float64 {
	n := 0
	for _, v := range of {
		if holds(v) {
			n++
		}
	}
	return float64(n) / float64(len(of))
}
