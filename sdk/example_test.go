package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/sluice-hq/sluice/sdk"
)

// bootstrap is what Provider.Snapshot returned, or the data of a put of the
// stream.
const bootstrap = `{"environment":"production","revision":7,"flags":[{
	"key":"shop.checkout","purpose":"operational","owner":"shop","type":"boolean","revision":7,
	"variants":{"on":true,"off":false},"default":"off","safe":"off",
	"environments":{"production":{"enabled":true,"rules":[{"name":"germany","when":{"attribute":"country","op":"eq","value":"DE"},"serve":"on"}]}}}]}`

// unreachable is a network on which nobody answers.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("nobody answers")
}

// A service starts while everything is down: it answers from the flags that were
// shipped with it, and says that they may be old.
func Example() {
	provider, err := sdk.New(sdk.Config{
		URL: "https://sluice.example.com", Token: "sls_…", Bootstrap: []byte(bootstrap),
		Client: &http.Client{Transport: unreachable{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	api := isolated.NewAPI() // openfeature.SetProviderWithContextAndWait in an application
	if err := api.SetProviderAndWait(ctx, provider); err != nil {
		fmt.Println(err)
		return
	}
	client := api.NewClient()
	for _, country := range []string{"DE", "FR"} {
		d, _ := client.BooleanValueDetails(ctx, "shop.checkout", false, openfeature.NewEvaluationContext("u-1", map[string]any{"country": country}))
		fmt.Println(country, d.Value, d.Reason)
	}
	fmt.Println(provider.Status().State, provider.Status().Source, provider.Status().Revision)
	// Output:
	// DE true TARGETING_MATCH
	// FR false DEFAULT
	// STALE bootstrap 7
}

// Every fault of a configuration is told at once, with what to write instead.
func ExampleNew() {
	_, err := sdk.New(sdk.Config{URL: "sluice.example.com"})
	fmt.Println(err)
	// Output:
	// URL "sluice.example.com" is not the address of a server; write it like https://sluice.example.com
	// Token is missing; make one for the service: sluice token --environment production shop
}

// What is tracked waits until the server takes it, and is lost with the process
// where there is no folder: the error of the shutdown says how much.
func ExampleProvider_Stats() {
	provider, err := sdk.New(sdk.Config{
		URL: "https://sluice.example.com", Token: "sls_…", Bootstrap: []byte(bootstrap), Report: -1,
		Client: &http.Client{Transport: unreachable{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = provider.Init(openfeature.EvaluationContext{})
	provider.Track(context.Background(), "purchase", openfeature.NewEvaluationContext("u-1", nil), openfeature.NewTrackingEventDetails(19.99))
	s := provider.Stats()
	fmt.Println("tracked", s.Tracked, "waiting", s.Waiting, "dropped", s.Dropped)

	ctx, stop := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer stop()
	fmt.Println(errors.Is(provider.ShutdownWithContext(ctx), context.DeadlineExceeded), provider.Stats().Dropped)
	// Output:
	// tracked 1 waiting 1 dropped 0
	// true 1
}
