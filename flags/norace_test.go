//go:build !race

package flags

const raced = false
