package manifest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

type part struct {
	Size event.Duration `yaml:"size"`
}

type document struct {
	Key   string          `yaml:"key"`
	Count int             `yaml:"count"`
	Parts map[string]part `yaml:"parts"`
	List  []part          `yaml:"list"`
	Flag  string          `yaml:"flag"`
}

const good = `apiVersion: sluice/v1
kind: Thing
key: a
count: 3
flag: on
parts:
  one.two: {size: 1d}
list:
  - size: 90s
---
# nothing but a comment
---
{"apiVersion": "sluice/v1", "kind": "Other", "key": "b"}
`

func TestSplit_decodesEveryDocument(t *testing.T) {
	docs, err := Split([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if len(docs) != 2 || docs[0].Kind != "Thing" || docs[1].Kind != "Other" {
		t.Fatalf("got %d documents: %+v", len(docs), docs)
	}
	var d document
	if err := docs[0].Decode(&d); err != nil {
		t.Fatal(err)
	}
	if d.Key != "a" || d.Count != 3 || d.Flag != "on" || d.Parts["one.two"].Size.String() != "1d" || d.List[0].Size.String() != "1m30s" {
		t.Errorf("got %+v", d)
	}
	var other document
	if err := docs[1].Decode(&other); err != nil || other.Key != "b" {
		t.Errorf("the JSON document: got %+v, %v", other, err)
	}
}

func TestSplit_refuses(t *testing.T) {
	head := "apiVersion: sluice/v1\nkind: Thing\n"
	for name, c := range map[string]struct{ source, want string }{
		"nothing":         {"", "holds no document"},
		"expect":          {head + "expect: soon\n", `expect "soon" is not a revision`},
		"expect less":     {head + "expect: -1\n", `expect "-1" is not a revision`},
		"no version":      {"kind: Thing\nkey: a\n", `apiVersion "" is not known`},
		"foreign version": {"apiVersion: other/v9\nkind: Thing\n", `apiVersion "other/v9" is not known`},
		"no kind":         {"apiVersion: sluice/v1\nkey: a\n", "kind is missing"},
		"a list":          {"- a\n- b\n", "a document is a mapping"},
		"malformed":       {head + "key: [a, b\n", "[3:"},
		"bad indentation": {head + "key: a\n  count: 1\n", "["},
		"too deep":        {head + "key: " + strings.Repeat("[", 2000) + strings.Repeat("]", 2000), "nests deeper"},
		"too deep below":  {head + "key:\n" + strings.Repeat("- ", 2000) + "a\n", "nests deeper"},
		"an alias":        {head + "parts: &a {}\nlist: *a\n", "[3:8] anchors (&), aliases (*) and merges (<<) are not read"},
		"a merge":         {head + "<<: {key: a}\n", "[3:1] anchors"},
		"a tag":           {head + "key: !!str 3\n", "[3:6] tags"},
		"many fields":     {head + "parts:\n" + strings.Repeat("  a: {}\n", maxFields), "more than 4000 fields"},
		"many words":      {head + "list: [" + strings.Repeat("a,", maxTokens/2) + "]\n", "words and marks"},
		"too long":        {strings.Repeat("#", MaxBytes+1), "at most"},
		"unknown field":   {head + "key: a\ncuont: 3\n", `[4:1] unknown field "cuont"`},
		"twice":           {head + "key: a\nkey: b\n", "key"},
		"wrong type":      {head + "key: a\ncount: many\n", "[4:8]"},
		"bad duration":    {head + "list:\n  - size: soon\n", "is not a length of time"},
	} {
		t.Run(name, func(t *testing.T) {
			err := decode(c.source)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// TestSplit_takesNoLongerThanAFileIsWorth guards against files that are small
// and would keep the parser busy for minutes, or fill the memory.
func TestSplit_takesNoLongerThanAFileIsWorth(t *testing.T) {
	head := "apiVersion: sluice/v1\nkind: Thing\n"
	bomb := head + "parts:\n  a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		bomb += fmt.Sprintf("  a%d: &a%d [%s]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 10))
	}
	for name, source := range map[string]string{
		"aliases of aliases": bomb,
		"anchors":            head + "key: " + strings.Repeat("&a ", 300_000),
		"questions":          head + "key: " + strings.Repeat("? ", 300_000),
		"colons":             head + "key" + strings.Repeat(": a", 300_000),
		"commas":             head + "key: [" + strings.Repeat(",", 300_000),
		"documents":          strings.Repeat("---\n", 250_000),
		"fields":             head + strings.Repeat("a: 1\n", 200_000),
	} {
		t.Run(name, func(t *testing.T) {
			done := make(chan error, 1)
			go func() { done <- decode(source) }()
			select {
			case err := <-done:
				if err == nil || len(err.Error()) > 2000 {
					t.Errorf("got %.200v", err)
				}
			case <-time.After(2 * time.Minute):
				t.Fatal("it takes more than two minutes")
			}
		})
	}
}

// TestSplit_colonsInsideWords: a colon makes a field only before a space or a
// mark.
func TestSplit_colonsInsideWords(t *testing.T) {
	docs, err := Split([]byte("apiVersion: sluice/v1\nkind: Thing\n" +
		"a: {link: https://example.org/x:y, \"q\":1, names: [webhook:release, a:b:c], at: 12:30, e:, deep: {x:[1], u: b}}\n" +
		"regex: ['[[[', \"{{{\"] # [[[\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := docs[0].Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": map[string]any{"link": "https://example.org/x:y", "q": uint64(1), "names": []any{"webhook:release", "a:b:c"},
		"at": "12:30", "e": nil, "deep": map[string]any{"x": []any{uint64(1)}, "u": "b"}}, "regex": []any{"[[[", "{{{"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func decode(source string) error {
	docs, err := Split([]byte(source))
	if err != nil {
		return err
	}
	for _, d := range docs {
		if err := d.Decode(&document{}); err != nil {
			return err
		}
	}
	return nil
}

func TestAnnotate_namesLineAndExcerpt(t *testing.T) {
	docs, err := Split([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	var faults event.Invalids
	faults.Add("parts.one.two.size", "1d", "is too short", "write 2d or more")
	faults.Add("list[0].missing", nil, "is missing", "")
	err = docs[0].Annotate(faults.Err())
	var e *Error
	if !errors.As(err, &e) || e.Line != 7 {
		t.Fatalf("got %v, want an *Error at line 7", err)
	}
	for _, want := range []string{`parts.one.two.size "1d" is too short; write 2d or more`, "one.two: {size: 1d}", "[9:", "list[0].missing is missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message lacks %q:\n%v", want, err)
		}
	}
	var back event.Invalids
	if !errors.As(err, &back) || len(back) != 2 {
		t.Errorf("the faults are lost: %v", back)
	}
	if docs[0].Annotate(nil) != nil {
		t.Error("nil became an error")
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("apiVersion: sluice/v1\nkind: Thing\nkey: &a [*a]\n"))
	f.Fuzz(func(t *testing.T, source []byte) {
		docs, err := Split(source)
		if err != nil {
			return
		}
		for _, d := range docs {
			var into document
			_ = d.Decode(&into)
		}
	})
}

func TestSplit_readsWhatIsExpected(t *testing.T) {
	docs, err := Split([]byte("apiVersion: sluice/v1\nkind: Thing\nexpect: 12\nkey: a\n---\napiVersion: sluice/v1\nkind: Thing\nexpect: 0\n---\napiVersion: sluice/v1\nkind: Thing\n"))
	if err != nil || docs[0].Expect != 12 || docs[1].Expect != 0 || docs[2].Expect != event.Any {
		t.Errorf("got %v: %v", docs, err)
	}
	var thing struct{ Key string }
	if err := docs[0].Decode(&thing); err != nil || thing.Key != "a" {
		t.Errorf("what is expected is a field of the document: %+v, %v", thing, err)
	}
}
