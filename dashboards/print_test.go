package dashboards

import (
	"bytes"
	"context"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/sluice-hq/sluice/dashboards/browsertest"
)

// TestRecord_printsOnAPage: the record of a decision is one sheet of paper.
func TestRecord_printsOnAPage(t *testing.T) {
	base := site(t, still())
	tab := browsertest.Tab(t, browsertest.Open(t), browsertest.Looks[0])
	for _, name := range []string{"record", "record-again"} {
		var sheet page.PrintToPDFResult
		browsertest.Do(t, tab, chromedp.Navigate(base+"/"+name), chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
			sheet, err = cdp.Call(ctx, target, page.PrintToPDF, page.PrintToPDFParams{})
			return err
		}))
		if n := bytes.Count(sheet.Data, []byte("/Type /Page\n")); n != 1 {
			t.Errorf("%s takes %d pages of paper (%d bytes)", name, n, len(sheet.Data))
		}
	}
}
