package sdktest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/sdk/sdktest"
)

// checkout is what an application does with a flag.
func checkout(client *openfeature.Client, user string) string {
	ctx, who := context.Background(), openfeature.NewEvaluationContext(user, nil)
	way := "three steps"
	if client.Boolean(ctx, "shop.checkout", false, who) {
		way = "one step"
	}
	client.Track(ctx, "purchase", who, openfeature.NewTrackingEventDetails(19.99))
	return way
}

// A test of an application decides what its units get, and looks at what was
// recorded of them. In a test, t is its *testing.T.
func Example() {
	t := &testing.T{}
	kit := sdktest.New(t)
	kit.Enrol("shop.checkout", map[string]any{"on": true, "off": false}, "on")

	fmt.Println(checkout(kit.Client(), "u-1"))

	for _, e := range kit.Exposures() {
		fmt.Println(e.Unit, "met", e.Flag, e.Variant)
	}
	for _, e := range kit.Tracked() {
		fmt.Println(e.Units["user"], e.Name, *e.Value)
	}
	// Output:
	// one step
	// u-1 met shop.checkout on
	// u-1 purchase 19.99
}
