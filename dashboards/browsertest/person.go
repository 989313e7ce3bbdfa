package browsertest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Person uses pages as people do, with a keyboard: links, buttons and fields are
// found by the words on them. Whoever has no scripts loads a page again to see
// what is new.
type Person struct {
	t       *testing.T
	tab     context.Context
	scripts bool

	mu     sync.Mutex
	faults []string // what the browser wrote into its console as an error
}

// Visit seats a person before a window of his own, who has no cookies of
// others. Without scripts the browser runs none.
func Visit(t *testing.T, browser context.Context, scripts bool) *Person {
	t.Helper()
	p := &Person{t: t, tab: tab(t, browser, Looks[0], chromedp.WithNewBrowserContext()), scripts: scripts}
	if err := chromedp.Listen(p.tab, p.hear); err != nil {
		t.Fatal(err)
	}
	if !scripts {
		WithoutScripts(t, p.tab)
	}
	return p
}

// WithoutScripts has the pages of a tab run no script.
func WithoutScripts(t *testing.T, tab context.Context) {
	t.Helper()
	Do(t, tab, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
}

// hear notes errors of scripts, of the network and of the content security
// policy, which all stand in the console.
func (p *Person) hear(ev any) {
	fault := ""
	switch ev := ev.(type) {
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError {
			fault = fmt.Sprintf("%s: %s %s", ev.Entry.Source, ev.Entry.Text, ev.Entry.URL)
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError {
			fault = "console.error"
			for _, a := range ev.Args {
				fault += " " + string(a.Value) + a.Description
			}
		}
	case *runtime.EventExceptionThrown:
		fault = ev.ExceptionDetails.Text
	}
	if fault == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, fault)
}

// Faults are the errors that the console has shown so far.
func (p *Person) Faults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.faults...)
}

// Open goes to an address.
func (p *Person) Open(url string) {
	p.t.Helper()
	Do(p.t, p.tab, chromedp.Navigate(url))
}

// Follow opens the link of that name, and Press presses a button that leads to
// another page: both return the status with which it answers.
func (p *Person) Follow(name string) int64 { p.t.Helper(); return p.leave("link", name) }

// Press presses a button that sends a form.
func (p *Person) Press(name string) int64 { p.t.Helper(); return p.leave("button", name) }

func (p *Person) leave(kind, name string) int64 {
	p.t.Helper()
	p.focus(kind, name)
	ctx, stop := context.WithTimeout(p.tab, patience)
	defer stop()
	answer, err := chromedp.RunResponse(ctx, chromedp.KeyEvent("\r"))
	if err != nil {
		p.t.Fatalf("the %s %q leads nowhere: %v", kind, name, err)
	}
	if answer == nil {
		return 0 // a place on the same page
	}
	return answer.Status
}

// Unfold opens what is folded away under a name.
func (p *Person) Unfold(name string) {
	p.t.Helper()
	p.focus("summary", name)
	Do(p.t, p.tab, chromedp.KeyEvent("\r"))
}

// Tick ticks a box, or takes the tick away.
func (p *Person) Tick(label string) {
	p.t.Helper()
	p.focus("field", label)
	Do(p.t, p.tab, chromedp.KeyEvent(" "))
}

// Write types a value into the field of that label, in the place of what it holds.
// A choice takes the answer that begins so.
func (p *Person) Write(label, value string) {
	p.t.Helper()
	if p.focus("field", label) == "SELECT" {
		p.choose(value)
		return
	}
	Eval[bool](p.t, p.tab, "document.activeElement.select(); true")
	if value == "" {
		Do(p.t, p.tab, chromedp.KeyEvent("\b"))
		return
	}
	Do(p.t, p.tab, chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, input.InsertText, input.InsertTextParams{Text: value})
		return err
	}))
}

// choose goes with the arrows to the answer that begins so. Its letters would do
// only while each comes within a second of the one before.
func (p *Person) choose(answer string) {
	p.t.Helper()
	steps := Eval[int](p.t, p.tab, fmt.Sprintf(`(e => [...e.options].findIndex(o => o.text.startsWith(%q)) - e.selectedIndex)(document.activeElement)`, answer))
	key := kb.ArrowDown
	if steps < 0 {
		key, steps = kb.ArrowUp, -steps
	}
	if steps > 0 {
		Do(p.t, p.tab, chromedp.KeyEvent(strings.Repeat(key, steps)))
	}
	if at := Eval[string](p.t, p.tab, "document.activeElement.selectedOptions[0]?.text"); !strings.HasPrefix(at, answer) {
		p.t.Fatalf("there is no answer %q; the arrows lead to %q", answer, at)
	}
}

// Holds waits until the field of that label holds these words.
func (p *Person) Holds(label, words string) {
	p.t.Helper()
	p.focus("field", label)
	if !await(func() bool {
		return Eval[bool](p.t, p.tab, fmt.Sprintf("document.activeElement.value.includes(%q)", words))
	}, nil) {
		p.t.Fatalf("%s does not come to hold %q, but %q\n%s", label, words, Eval[string](p.t, p.tab, "document.activeElement.value"), p.Text())
	}
}

// focus puts the focus on the one thing of that kind and name that can be seen,
// and returns what element it is. With scripts it may still be on its way.
func (p *Person) focus(kind, name string) (tag string) {
	p.t.Helper()
	var others []string
	found := func() bool {
		at := Eval[struct {
			Tag    string
			Others []string // what there is, when it is not
		}](p.t, p.tab, fmt.Sprintf("(%s)(%q, %q)", focusing, kind, name))
		tag, others = at.Tag, at.Others
		return tag != ""
	}
	if !p.scripts && !found() || p.scripts && !await(found, nil) {
		p.t.Fatalf("there is not one %s %q here, but %q\n%s", kind, name, others, p.Text())
	}
	return tag
}

// await asks until it is so, for as long as patience lasts. Between two questions
// it does something, if there is anything to do.
func await(so func() bool, between func()) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); !so(); {
		select {
		case <-tick.C:
		case <-end:
			return false
		}
		if between != nil {
			between()
		}
	}
	return true
}

// focusing finds what is called by a name: exactly so, or the only one whose name
// begins so, or the first of them if that is asked for; in the form that is being
// written before the rest of the page, and there before what stands around it.
const focusing = `(kind, asked) => {
  const first = asked.startsWith("the first "), name = first ? asked.slice(10) : asked;
  const clean = (s) => s.replace(/\s+/g, " ").trim();
  const kinds = {link: "a[href]", button: "button", summary: "summary", field: "input:not([type=hidden]), select, textarea"};
  const named = (e) => clean(kind === "field" ? [...e.labels].map((l) => l.textContent).join(" ").replace("(optional)", "") : e.innerText);
  const all = [...document.querySelectorAll(kinds[kind])].filter((e) => e.checkVisibility({visibilityProperty: true}));
  const only = (some) => {
    const form = document.activeElement?.form, near = some.filter((e) => form && e.form === form), main = some.filter((e) => e.closest("main"));
    if (near.length === 1) return near[0];
    if (first || main.length === 1) return main[0];
    return main.length === 0 && some.length === 1 ? some[0] : null;
  };
  const same = all.filter((e) => named(e) === name);
  const one = same.length ? only(same) : only(all.filter((e) => named(e).startsWith(name)));
  one?.focus();
  if (!one || document.activeElement !== one) return {others: all.map(named)};
  return {tag: one.tagName};
}`

// Text is what the page says, with single spaces.
func (p *Person) Text() string {
	p.t.Helper()
	return Eval[string](p.t, p.tab, text)
}

const text = `document.body.innerText.replace(/\s+/g, " ")`

// patience is how long anything may take on a busy machine.
const patience = 2 * time.Minute

// Says fails unless the page says so by now.
func (p *Person) Says(words string) {
	p.t.Helper()
	if !p.reads(words) {
		p.t.Fatalf("the page does not say %q:\n%s", words, p.Text())
	}
}

func (p *Person) reads(words string) bool {
	p.t.Helper()
	return Eval[bool](p.t, p.tab, fmt.Sprintf("%s.includes(%q)", text, words))
}

// Comes waits until the page says so. With scripts it has to come by itself: the
// page is not loaded again. Without, the person does that.
func (p *Person) Comes(words string) {
	p.t.Helper()
	Eval[bool](p.t, p.tab, "window.seated = true")
	var again func()
	if !p.scripts {
		again = func() { Do(p.t, p.tab, chromedp.Reload()) }
	}
	if !await(func() bool { return p.reads(words) }, again) {
		p.t.Fatalf("the page does not come to say %q:\n%s", words, p.Text())
	}
	if p.scripts && !Eval[bool](p.t, p.tab, "window.seated === true") {
		p.t.Errorf("the page was loaded again before it said %q", words)
	}
}
