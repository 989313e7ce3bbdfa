package flags

import (
	"math"
	"strconv"
	"strings"

	"github.com/sluice-hq/sluice/flags/jsonlogic"
)

// The names under which a rule finds what flagd adds to a context.
const (
	flagdKey       = "$flagd.flagKey"
	flagdTimestamp = "$flagd.timestamp"
)

// null is what flagd's operators give where they cannot say.
var null jsonlogic.Value

// startsWith and endsWith take exactly two texts.
func startsWith(c jsonlogic.Call) (jsonlogic.Value, error) { return affix(c, strings.HasPrefix) }
func endsWith(c jsonlogic.Call) (jsonlogic.Value, error)   { return affix(c, strings.HasSuffix) }

func affix(c jsonlogic.Call, has func(s, part string) bool) (jsonlogic.Value, error) {
	if !c.List || len(c.Args) != 2 {
		return null, nil
	}
	s, ok := c.Args[0].Text()
	part, okPart := c.Args[1].Text()
	if !ok || !okPart {
		return null, nil
	}
	return jsonlogic.BoolOf(has(s, part)), nil
}

// semVer takes a version, an operator and a version.
func semVer(c jsonlogic.Call) (jsonlogic.Value, error) {
	if !c.List || len(c.Args) != 3 {
		return null, nil
	}
	a, ok := parseVersion(versionText(c.Args[0]))
	op, okOp := c.Args[1].Text()
	b, okB := parseVersion(versionText(c.Args[2]))
	if !ok || !okOp || !okB {
		return null, nil
	}
	switch op {
	case "~":
		return jsonlogic.BoolOf(a.numbers[0] == b.numbers[0] && a.numbers[1] == b.numbers[1]), nil
	case "^":
		return jsonlogic.BoolOf(a.numbers[0] == b.numbers[0]), nil
	}
	return compared(op, a.compare(b)), nil
}

// compared says whether a comparison (negative, zero, positive) satisfies an
// operator of sem_ver.
func compared(op string, c int) jsonlogic.Value {
	switch op {
	case "=":
		return jsonlogic.BoolOf(c == 0)
	case "!=":
		return jsonlogic.BoolOf(c != 0)
	case "<":
		return jsonlogic.BoolOf(c < 0)
	case "<=":
		return jsonlogic.BoolOf(c <= 0)
	case ">":
		return jsonlogic.BoolOf(c > 0)
	case ">=":
		return jsonlogic.BoolOf(c >= 0)
	}
	return null
}

// versionText writes a number as flagd does, which from a million on has an
// exponent and is no version.
func versionText(v jsonlogic.Value) string {
	if n, ok := v.Number(); ok {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	s, _ := v.Text()
	return s
}

// fractional is flagd's operator, version 2, whose arithmetic is in bucket.go. The
// first operand is the text that is hashed; without it, that is flag key and
// targeting key. The others are variants with weights.
func fractional(c jsonlogic.Call) (jsonlogic.Value, error) {
	if !c.List || len(c.Args) == 0 {
		return null, nil
	}
	arms := c.Args
	if _, explicit := arms[0].Text(); explicit || arms[0].Kind() == jsonlogic.Null {
		arms = arms[1:]
	}
	hash, ok := fractionalHash(c)
	total, fits := weightOf(arms)
	if !ok || !fits || total == 0 {
		return null, nil
	}
	bucket, below := uint64(hash)*total>>32, uint64(0)
	for _, a := range arms {
		w, _ := armWeight(a)
		if below += w; bucket < below {
			return a.At(0), nil
		}
	}
	return null, nil // unreachable: the bucket is below the total
}

// fractionalHash hashes what a fractional distributes, and reports whether
// there is something to distribute.
func fractionalHash(c jsonlogic.Call) (uint32, bool) {
	key, ok := c.Lookup(TargetingKey)
	if !ok {
		return 0, false // flagd looks for the context, which is not there within a list
	}
	if by, explicit := c.Args[0].Text(); explicit {
		return prefix{}.sum(by), true
	}
	id, _ := key.Text()
	flag, _ := c.Lookup(flagdKey)
	name, _ := flag.Text()
	return prefixOf(name).sum(id), id != ""
}

// weightOf adds up the weights; false when one of the arms is none, or the sum
// too large.
func weightOf(arms []jsonlogic.Value) (total uint64, ok bool) {
	for _, a := range arms {
		w, ok := armWeight(a)
		if !ok {
			return 0, false
		}
		total += w
	}
	return total, total <= math.MaxInt32
}

// armWeight returns the weight of [variant, weight]: 1 when it is not written,
// 0 when it is negative.
func armWeight(a jsonlogic.Value) (uint64, bool) {
	if a.Kind() != jsonlogic.List || a.Len() == 0 {
		return 0, false
	}
	if k := a.At(0).Kind(); k == jsonlogic.List || k == jsonlogic.Object {
		return 0, false
	}
	if a.Len() == 1 || a.At(1).Kind() == jsonlogic.Null {
		return 1, true
	}
	w, ok := a.At(1).Number()
	if !ok || w != math.Trunc(w) || w > math.MaxInt32 {
		return 0, false
	}
	return uint64(max(w, 0)), true
}
