package main

import (
	"math/bits"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/flags"
)

func guideText(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("../../docs/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// TestFlagGuide_namesEveryField: whatever a document may say stands in the
// reference, as do all operators, purposes, types and stages.
func TestFlagGuide_namesEveryField(t *testing.T) {
	reference := strings.SplitN(guideText(t), "\n# Reference\n", 2)[1]
	var words []string
	for _, v := range []any{
		flags.Flag{}, flags.Dates{}, flags.Cleanup{}, flags.Environment{}, flags.Prerequisite{}, flags.Target{}, flags.Rule{}, flags.Condition{}, flags.Arm{},
	} {
		for i := range reflect.TypeOf(v).NumField() {
			words = append(words, strings.Split(reflect.TypeOf(v).Field(i).Tag.Get("json"), ",")[0])
		}
	}
	for _, p := range []flags.Phase{flags.Draft, flags.RollingOut, flags.Experimenting, flags.Decided, flags.Live, flags.CleanupDue, flags.Ended} {
		words = append(words, string(p))
	}
	for _, p := range []flags.Purpose{flags.Release, flags.Experiment, flags.Operational, flags.Permission, flags.KillSwitch} {
		words = append(words, string(p))
	}
	words = append(words, operators(t)...)
	for _, word := range words {
		if !regexp.MustCompile("`[^`\n]*\\b" + word + "\\b[^`\n]*`").MatchString(reference) {
			t.Errorf("the reference does not name %q", word)
		}
	}
}

// operators asks for them as a new user finds out: with one that there is not.
func operators(t *testing.T) []string {
	f := flags.Flag{
		Key: "a", Purpose: flags.Operational, Owner: "b", Type: flags.Boolean, Variants: flags.Variants{"off": []byte("false")}, Safe: "off",
		Environments: map[string]flags.Environment{"production": {Rules: []flags.Rule{{Name: "r", Serve: "off", When: &flags.Condition{Attribute: "x", Op: "like", Value: "y"}}}}},
	}
	_, list, ok := strings.Cut(f.Validate().Error(), "use one of ")
	if !ok {
		t.Fatalf("got %v", f.Validate())
	}
	return regexp.MustCompile(`[a-z_]+`).FindAllString(strings.SplitN(list, "\n", 2)[0], -1)
}

// TestFlagGuide_bucket: the worked value is MurmurHash3's, written down once
// more here, and ours.
func TestFlagGuide_bucket(t *testing.T) {
	found := regexp.MustCompile(`MurmurHash3\("([^"]+)"\) = (\d+)`).FindStringSubmatch(guideText(t))
	if found == nil {
		t.Fatal("there is no worked value")
	}
	want, err := strconv.ParseUint(found[2], 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	if got := murmur3(found[1]); uint64(got) != want {
		t.Errorf("the hash of %q is %d, and the guide says %d", found[1], got, want)
	}
	if got := flags.Bucket(found[1]); got != int(want*100000>>32) {
		t.Errorf("the bucket of %q is %d, and the guide's arithmetic gives %d", found[1], got, want*100000>>32)
	}
}

// murmur3 is MurmurHash3_x86_32 with seed 0, as its author's page has it.
func murmur3(s string) uint32 {
	h, b := uint32(0), []byte(s)
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		h = bits.RotateLeft32(h^bits.RotateLeft32(k*0xcc9e2d51, 15)*0x1b873593, 13)*5 + 0xe6546b64
	}
	k := uint32(0)
	for i := len(b) - 1; i >= 0; i-- {
		k = k<<8 | uint32(b[i])
	}
	h ^= bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
	h ^= uint32(len(s))
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}
