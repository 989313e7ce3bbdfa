package main

import (
	"context"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
	"github.com/sluice-hq/sluice/decisions"
	"github.com/sluice-hq/sluice/internal/engine/enginetest"
	"github.com/sluice-hq/sluice/internal/server"
)

var shots = flag.String("shots", "", "a directory for pictures of the live pages")

// TestMain is the tests, the engine as their child, or the program itself where
// it was started under its name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "sluice" {
		main()
	}
	enginetest.Main(m)
}

// told is the demo's house while it tells its story.
type told struct {
	admin client
	ended chan error // of the story; the house stands on until the test is over
}

// tellStory opens the demo's house on the real engine and tells the story in
// it, faster than people watch.
func tellStory(t *testing.T) told {
	t.Helper()
	library := enginetest.Library(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "story"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	h, err := open(ctx, config{
		Data: filepath.Join(t.TempDir(), "data"), Listen: "127.0.0.1:0", Lib: library, Every: 500 * time.Millisecond, OpenPages: true, Quiet: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s := told{admin: client{Server: h.address(), Token: h.adminToken}, ended: make(chan error, 1)}
	closed := make(chan error, 1)
	go func() {
		closed <- h.run(ctx, func(ctx context.Context, _, _ string) error {
			s.ended <- newStory(s.admin, 7, 6000, out).run(ctx)
			<-ctx.Done()
			return nil
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-closed; err != nil {
			t.Errorf("closing the house: %v", err)
		}
		if text, _ := os.ReadFile(out.Name()); t.Failed() {
			t.Logf("the story:\n%s", text)
		}
	})
	return s
}

// await returns the rollout once it is as wanted.
func (s told) await(t *testing.T, wanted func(server.RolloutView) bool) server.RolloutView {
	t.Helper()
	for end := now().Add(3 * time.Minute); now().Before(end); time.Sleep(look) {
		if v, err := s.admin.rollout(t.Context(), demoRollout); err == nil && wanted(v) {
			return v
		}
	}
	t.Fatal("the rollout did not come so far within three minutes")
	panic("unreachable") // Fatal does not return
}

// TestPages_live looks at the pages as the server serves them, with its
// headers and real numbers, while the story runs and when it is over.
func TestPages_live(t *testing.T) {
	t.Parallel()
	axe, chromium := browsertest.Axe(t, "../../node_modules"), browsertest.Open(t)
	s := tellStory(t)
	s.await(t, func(v server.RolloutView) bool { return v.Rollout.Stage == 1 && v.Look != nil })
	pages := map[string]string{"home": "/", "rollout": "/rollouts/" + demoRollout}
	visit(t, chromium, s.admin.Server, "during", pages, axe, browsertest.Looks[:1])
	if err := <-s.ended; err != nil {
		t.Fatal(err)
	}
	v := s.await(t, func(v server.RolloutView) bool { return v.Rollout.Status == decisions.RolledBack })
	d, _ := v.Rollout.Last()
	pages["record"], pages["missing"] = "/decisions/"+d.ID, "/decisions/none"
	pages["lost"], pages["sign-in"] = "/no/such/page", "/sign-in?next="+url.QueryEscape("/decisions/"+d.ID)
	visit(t, chromium, s.admin.Server, "after", pages, axe, browsertest.Looks)
	withoutScripts(t, chromium, s.admin.Server, pages)
}

// visit examines every page in every look.
func visit(t *testing.T, chromium context.Context, base, when string, pages map[string]string, axe string, looks []browsertest.Look) {
	for _, look := range looks {
		tab := browsertest.Tab(t, chromium, look)
		for name, path := range pages {
			t.Run(when+"/"+look.Name+"/"+name, func(t *testing.T) {
				browsertest.Do(t, tab, chromedp.Navigate(base+path))
				if *shots != "" {
					browsertest.Picture(t, tab, filepath.Join(*shots, when+"-"+name+"-"+look.Name+".png"))
				}
				browsertest.Check(t, tab, look, axe)
			})
		}
	}
}

// withoutScripts reads the pages in a browser that runs none.
func withoutScripts(t *testing.T, chromium context.Context, base string, pages map[string]string) {
	tab := browsertest.Tab(t, chromium, browsertest.Looks[0])
	browsertest.WithoutScripts(t, tab)
	for name, want := range map[string]string{
		"home": "Explain the rollback", "rollout": "sluice decide explain " + demoRollout, "record": "sluice decisions recompute",
		"missing": "nothing of that name", "lost": "nothing of that name", "sign-in": "Token",
	} {
		t.Run("no-scripts/"+name, func(t *testing.T) {
			browsertest.Do(t, tab, chromedp.Navigate(base+pages[name]))
			if got := browsertest.Eval[string](t, tab, "document.body.innerText"); !strings.Contains(got, want) {
				t.Errorf("the page does not say %q:\n%s", want, got)
			}
		})
	}
}
