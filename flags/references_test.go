package flags

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

func (h *house) tryScan(c Scan) (uint64, error) {
	h.t.Helper()
	return h.record(h.state.HandleScan(ScanCommand{h.order(), c}))
}

func shopScan() Scan {
	return Scan{
		Repository: "github.com/acme/shop", Revision: "4f2c1e9", Files: 12,
		Counts: map[string]int{"checkout.express": 3, "gone": 1}, Places: &event.Blob{SHA256: event.Sum([]byte("[]")), Size: 2},
	}
}

// TestScan: the newest scan of each repository counts, and those of different
// repositories add up.
func TestScan(t *testing.T) {
	h := newHouse(t)
	h.define(checkout())
	if n := h.state.References("checkout.express"); n != nil {
		t.Errorf("before any scan there are %d places", *n)
	}
	set := h.state.Revision()
	h.granted(h.tryScan(shopScan()))
	app := Scan{Repository: "github.com/acme/app", Revision: "v2", Counts: map[string]int{"checkout.express": 1}}
	h.granted(h.tryScan(app))
	if n := h.state.References("checkout.express"); n == nil || *n != 4 {
		t.Errorf("two repositories: got %v places", n)
	}
	app.Revision, app.Counts = "v3", nil
	seq := h.granted(h.tryScan(app))
	if n := h.state.References("checkout.express"); n == nil || *n != 3 {
		t.Errorf("after the scan of v3: got %v places", n)
	}
	if n := h.state.References("other"); n == nil || *n != 0 {
		t.Errorf("a flag that no code uses: got %v places", n)
	}
	scans := h.state.Scans()
	if len(scans) != 2 || scans[0].Revision != "v3" || scans[0].Seq != seq || scans[0].Actor != "person:ana" || scans[1].Repository != "github.com/acme/shop" {
		t.Errorf("got the scans %+v", scans)
	}
	if d := cmp.Diff([]string{"gone"}, h.state.NoFlags(scans[1].Scan)); d != "" {
		t.Error(d)
	}
	if h.state.Revision() != set {
		t.Error("a scan makes every set compile anew")
	}
	if _, err := h.tryScan(app); !errors.Is(err, ErrUnchanged) {
		t.Errorf("the same scan again: %v", err)
	}
}

func TestScan_refuses(t *testing.T) {
	h := newHouse(t)
	h.granted(h.tryScan(shopScan()))
	many := map[string]int{}
	for i := range MaxScanned + 1 {
		many[fmt.Sprint("flag-", i)] = 1
	}
	for want, change := range map[string]func(*Scan){
		`repository is empty; write a name such as github.com/acme/shop`:                                                                   func(c *Scan) { c.Repository = "" },
		`repository "a//b" has an empty part between its dots and slashes; write a name such as github.com/acme/shop`:                      func(c *Scan) { c.Repository = "a//b" },
		`repository "a b" has the character ' '; letters, digits, '-', '_' and '.' are allowed; write a name such as github.com/acme/shop`: func(c *Scan) { c.Repository = "a b" },
		`repository "github.com/acme.shop" is too much like github.com/acme/shop, which has been scanned; name it by another word`:         func(c *Scan) { c.Repository = "github.com/acme.shop" },
		`revision is missing; write the commit that was read`:                                                                              func(c *Scan) { c.Revision = "" },
		`revision "a\nb" has a control character; write the commit that was read`:                                                          func(c *Scan) { c.Revision = "a\nb" },
		`files "-1" is less than 0`: func(c *Scan) { c.Files = -1 },
		`references "4001" name more than 4000 flags; scan parts of the tree, each as a repository of its own`: func(c *Scan) { c.Counts = many },
	} {
		c := shopScan()
		change(&c)
		if _, err := h.tryScan(c); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	nobody, early := ScanCommand{h.order(), shopScan()}, ScanCommand{h.order(), shopScan()}
	nobody.Actor, early.Expect = "", 0
	if _, _, err := h.state.HandleScan(nobody); err == nil || err.Error() != "actor is missing" {
		t.Errorf("nobody scans: %v", err)
	}
	if _, _, err := h.state.HandleScan(early); !errors.Is(err, event.ErrConflict) {
		t.Errorf("a scan that knows of none before: %v", err)
	}
}

// TestFound: the document of the places is the same whatever order they came
// in, so that a scan that is sent again is known.
func TestFound(t *testing.T) {
	a, b, c := Place{"b.flag", "a.go", 9, ""}, Place{"a.flag", "b.go", 1, ""}, Place{"b.flag", "a.go", 2, "BFlag"}
	doc := Scan{Repository: "shop", Revision: "v1", Files: 2}
	scan, text, err := doc.Found([]Place{a, b, c})
	if err != nil {
		t.Fatal(err)
	}
	doc.Counts = map[string]int{"a.flag": 1, "b.flag": 2}
	if d := cmp.Diff(doc, scan); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
	if _, again, err := doc.Found([]Place{c, b, a}); err != nil || string(again) != string(text) {
		t.Errorf("in another order: %s, %v\nwant %s", again, err, text)
	}
	places, err := ReadPlaces(text, "b.flag")
	if d := cmp.Diff([]Place{c, a}, places); err != nil || d != "" {
		t.Errorf("%v -want +got:\n%s", err, d)
	}
	if _, err := ReadPlaces([]byte("{"), "b.flag"); err == nil {
		t.Error("a document that is none is read")
	}
	if _, text, err := doc.Found(nil); text != nil || err != nil {
		t.Errorf("nothing found: %s, %v", text, err)
	}
	doc.Revision, a.Line = "", 0
	if _, _, err := doc.Found([]Place{a}); err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("two faults: %v", err)
	}
}

func TestCheckPlaces(t *testing.T) {
	good := Place{Flag: "a.b", Path: "cmd/main.go", Line: 1, Alias: "expressPay"}
	if faults := checkPlaces([]Place{good}); faults != nil {
		t.Error(faults)
	}
	for want, change := range map[string]func(*Place){
		`references[1].flag is empty; write a flag's key`:                                                         func(p *Place) { p.Flag = "" },
		`references[1].path is missing; write the path of a file from the root of the tree`:                       func(p *Place) { p.Path = "" },
		`references[1].path "a\x00b" has a control character; write the path of a file from the root of the tree`: func(p *Place) { p.Path = "a\x00b" },
		`references[1].line "0" is not between 1 and 10000000`:                                                    func(p *Place) { p.Line = 0 },
		`references[1].line "10000001" is not between 1 and 10000000`:                                             func(p *Place) { p.Line = 10_000_001 },
		`references[1].alias "\xff" is not text in UTF-8; write the word that stands for the key`:                 func(p *Place) { p.Alias = "\xff" },
	} {
		p := good
		change(&p)
		if faults := checkPlaces([]Place{good, p}); len(faults) != 1 || faults[0].Error() != want {
			t.Errorf("got %v\nwant %s", faults, want)
		}
	}
	long := good
	long.Path, long.Alias = strings.Repeat("p", 1025), strings.Repeat("a", 129)
	if faults := checkPlaces([]Place{long}); len(faults) != 2 || faults[0].Why != "is longer than 1024 bytes" || faults[1].Why != "is longer than 128 bytes" {
		t.Errorf("got %v", faults)
	}
	if faults := checkPlaces(make([]Place, MaxPlaces+1)); len(faults) < mostFaults || len(faults) > mostFaults+4 || faults[0].Why != "are more than 20000 places" {
		t.Errorf("too many: got %d faults, first %v", len(faults), faults[0])
	}
}

func TestScan_appliesNothingItCannotUnderstand(t *testing.T) {
	s := NewState()
	err := s.Apply(event.Recorded{Event: event.Event{Type: ScanEventType, Subject: "references.a", Data: []byte(`5`)}, Seq: 1})
	if err == nil || len(s.Scans()) != 0 {
		t.Errorf("got %v, %+v", err, s.Scans())
	}
}
