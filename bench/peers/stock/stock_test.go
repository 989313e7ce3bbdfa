package stock

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-feature/go-sdk-contrib/providers/flagd/pkg"
	"github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const documents = `apiVersion: sluice/v1
kind: Flag
key: shop.checkout
purpose: operational
owner: shop-team
type: boolean
variants: {on: true, off: false}
default: off
safe: off
environments:
  production:
    enabled: true
    rules:
      - {name: staff, when: {attribute: ring, op: eq, value: staff}, serve: on}
      - {name: half, split: [{variant: on, weight: 50000}, {variant: off, weight: 50000}]}
---
apiVersion: sluice/v1
kind: Flag
key: shop.title
purpose: operational
owner: shop-team
type: string
variants: {plain: Shop, warm: Welcome}
default: plain
safe: plain
environments: {production: {enabled: true}}
---
apiVersion: sluice/v1
kind: Flag
key: shop.limit
purpose: operational
owner: shop-team
type: number
variants: {few: 3, many: 100}
default: few
safe: few
environments:
  production: {enabled: true, rules: [{name: staff, when: {attribute: ring, op: eq, value: staff}, serve: many}]}
---
apiVersion: sluice/v1
kind: Flag
key: shop.rate
purpose: operational
owner: shop-team
type: number
variants: {slow: 0.25, fast: 2.5}
default: slow
safe: fast
environments: {production: {enabled: false}}
---
apiVersion: sluice/v1
kind: Flag
key: shop.theme
purpose: operational
owner: shop-team
type: object
variants: {light: {color: white, sizes: [1, 2]}, dark: {color: black}}
default: light
safe: light
environments: {production: {enabled: true}}
`

// units is how many units each provider is asked about.
const units = 100

// TestProviders: every stock provider gives every unit what Sluice's own doors
// give it, sees a change, and says what is wrong in OpenFeature's words.
func TestProviders(t *testing.T) {
	s := serve(t)
	s.apply(documents)
	want := s.answers(units)
	for name, open := range map[string]func(*testing.T, *sluice) openfeature.FeatureProvider{
		"OFREP": ofrepProvider, "flagd over RPC": flagdRPC, "flagd in-process": flagdInProcess,
	} {
		t.Run(name, func(t *testing.T) {
			if err := openfeature.SetNamedProviderWithContextAndWait(t.Context(), name, open(t, s)); err != nil {
				t.Fatal(err)
			}
			client := openfeature.NewClient(name)
			if diff := cmp.Diff(want, ask(t, client, units)); diff != "" {
				t.Errorf("(-Sluice +provider):\n%s", diff)
			}
			refuses(t, client, name)
		})
	}
	changes(t, s)
	if err := s.stop(); err != nil { // it would wait in vain for a stream that stays open
		t.Errorf("the server did not end: %v", err)
	}
	openfeature.Shutdown()
}

func ofrepProvider(_ *testing.T, s *sluice) openfeature.FeatureProvider {
	return ofrep.NewProvider(s.address, ofrep.WithBearerToken(s.token))
}

// flagdRPC gives the token as the password of the address, since the provider
// sends no headers of its own.
func flagdRPC(t *testing.T, s *sluice) openfeature.FeatureProvider {
	host, port := s.hostPort()
	p, err := flagd.NewProvider(flagd.WithRPCResolver(), flagd.WithHost("sluice:"+s.token+"@"+host), flagd.WithPort(port))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// flagdInProcess evaluates in this process what it has synced.
func flagdInProcess(t *testing.T, s *sluice) openfeature.FeatureProvider {
	host, port := s.hostPort()
	p, err := flagd.NewProvider(flagd.WithInProcessResolver(), flagd.WithHost(host), flagd.WithPort(port), flagd.WithSelector("flagSetId=production"),
		flagd.WithGrpcDialOptionsOverride([]grpc.DialOption{
			grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithPerRPCCredentials(bearer(s.token)),
		}))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// bearer sends a token with each call.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return false }

func (s *sluice) hostPort() (string, uint16) {
	s.t.Helper()
	u, err := url.Parse(s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	host, text, err := net.SplitHostPort(u.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		s.t.Fatal(err)
	}
	return host, uint16(port)
}

// ask evaluates all flags for all units as answers does. The defaults here are
// of no flag, so that none of them goes unnoticed.
func ask(t *testing.T, c *openfeature.Client, n int) map[string]string {
	t.Helper()
	all, ctx := map[string]string{}, t.Context()
	for i := range n {
		who := openfeature.NewEvaluationContext(fmt.Sprintf("u-%d", i), map[string]any{"ring": ring(i)})
		note := func(key string, value any, variant string, err error) {
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			text, err := json.Marshal(value)
			if err != nil {
				t.Fatal(err)
			}
			all[fmt.Sprintf("%s u-%d", key, i)] = string(text) + " " + variant
		}
		b, err := c.BooleanValueDetails(ctx, "shop.checkout", i%2 == 0, who)
		note(b.FlagKey, b.Value, b.Variant, err)
		s, err := c.StringValueDetails(ctx, "shop.title", "none", who)
		note(s.FlagKey, s.Value, s.Variant, err)
		l, err := c.IntValueDetails(ctx, "shop.limit", -1, who)
		note(l.FlagKey, l.Value, l.Variant, err)
		r, err := c.FloatValueDetails(ctx, "shop.rate", -1, who)
		note(r.FlagKey, r.Value, r.Variant, err)
		o, err := c.ObjectValueDetails(ctx, "shop.theme", nil, who)
		note(o.FlagKey, o.Value, o.Variant, err)
	}
	return all
}

// refuses asks for what there is not.
func refuses(t *testing.T, c *openfeature.Client, name string) {
	t.Helper()
	for key, want := range map[string]openfeature.ErrorCode{"none": openfeature.FlagNotFoundCode, "shop.title": openfeature.TypeMismatchCode} {
		got, err := c.BooleanValueDetails(t.Context(), key, true, openfeature.NewEvaluationContext("u-1", nil))
		if err == nil || got.ErrorCode != want || !got.Value {
			t.Errorf("%s, %s: got %+v, %v; want %s and the default", name, key, got, err, want)
		}
	}
}

// changes applies one change, and waits until both modes of flagd's provider
// say that they have seen it.
func changes(t *testing.T, s *sluice) {
	t.Helper()
	for _, name := range []string{"flagd over RPC", "flagd in-process"} {
		client, seen := openfeature.NewClient(name), make(chan struct{}, 100)
		note := func(openfeature.EventDetails) { seen <- struct{}{} }
		client.AddHandler(openfeature.ProviderConfigChange, &note)
		variant := map[string]string{"flagd over RPC": "warm", "flagd in-process": "plain"}[name]
		s.post(s.admin, "/api/v1/apply", "application/yaml", fmt.Sprintf(title, variant))
		late := time.After(2 * time.Minute)
		for got := ""; got != variant; {
			select {
			case <-seen:
			case <-late:
				t.Fatalf("%s: the change was not seen; it still gives %q", name, got)
			}
			d, err := client.StringValueDetails(t.Context(), "shop.title", "none", openfeature.NewEvaluationContext("u-1", nil))
			if err != nil {
				t.Fatal(err)
			}
			got = d.Variant
		}
	}
}

const title = `apiVersion: sluice/v1
kind: Flag
key: shop.title
purpose: operational
owner: shop-team
type: string
variants: {plain: Shop, warm: Welcome}
default: %s
safe: plain
environments: {production: {enabled: true}}
`
