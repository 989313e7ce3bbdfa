package access

import (
	"testing"
	"time"
)

func TestUsed(t *testing.T) {
	var u, other Used
	if !u.Last("a").IsZero() || u.News() {
		t.Error("before anything is used there is nothing to tell")
	}
	u.Note("a", at.Add(90*time.Second))
	u.Note("a", at) // a clock that went back
	u.Note("gone", at)
	if got, want := u.Last("a"), at.Add(time.Minute); !got.Equal(want) {
		t.Errorf("last used %v, want %v", got, want)
	}
	if !u.News() || u.News() {
		t.Error("news are told once")
	}
	u.Note("a", at.Add(100*time.Second))
	if u.News() {
		t.Error("the same minute is no news")
	}
	b, err := u.Encode(func(id string) bool { return id != "gone" })
	if err != nil {
		t.Fatal(err)
	}
	other.Note("a", at)
	if err := other.Merge(b); err != nil {
		t.Fatal(err)
	}
	if !other.Last("a").Equal(u.Last("a")) || !other.Last("gone").IsZero() {
		t.Errorf("after merging %s: %v and %v", b, other.Last("a"), other.Last("gone"))
	}
	if err := other.Merge([]byte("[")); err == nil {
		t.Error("what cannot be read is merged")
	}
}

func BenchmarkUsed(b *testing.B) {
	var u Used
	u.Note("0123456789ab", at)
	for b.Loop() {
		u.Note("0123456789ab", at)
	}
}
