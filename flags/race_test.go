//go:build race

package flags

// raced says that the race detector is on, under which a sync.Pool throws away
// some of what it is given.
const raced = true
