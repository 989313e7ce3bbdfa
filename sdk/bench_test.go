package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/sluice-hq/sluice/flags"
)

// BenchmarkEvaluate asks one flag with a rule and an allocation: the bare
// function, the provider, and OpenFeature's client, of one run.
func BenchmarkEvaluate(b *testing.B) {
	const key = "shop.flag-0500"
	r := comparing(7, 1000)
	attributes := map[string]any{"ring": "public", "country": "DE"}
	b.Run("bare", func(b *testing.B) {
		set, c := flags.NewSet(r, nil), &flags.Context{TargetingKey: "u-1", Attributes: attributes}
		b.ReportAllocs()
		for b.Loop() {
			set.Evaluate(key, c)
		}
	})
	p := holding(b, r, nil)
	ctx := context.Background()
	b.Run("provider", func(b *testing.B) {
		flat := openfeature.FlattenedContext{"targetingKey": "u-1", "ring": "public", "country": "DE"}
		b.ReportAllocs()
		for b.Loop() {
			p.BooleanEvaluation(ctx, key, false, flat)
		}
	})
	who := openfeature.NewEvaluationContext("u-1", attributes)
	b.Run("client", func(b *testing.B) { through(b, ready(b, p), key, who) })
	b.Run("client of a provider that does nothing", func(b *testing.B) { through(b, idle{}, key, who) })
}

// through asks by way of OpenFeature's client.
func through(b *testing.B, p openfeature.FeatureProvider, key string, who openfeature.EvaluationContext) {
	b.Helper()
	api, ctx := isolated.NewAPI(), context.Background()
	if err := api.SetProviderAndWait(ctx, p); err != nil {
		b.Fatal(err)
	}
	client := api.NewClient()
	b.ReportAllocs()
	for b.Loop() {
		client.Boolean(ctx, key, false, who)
	}
	b.StopTimer()
	_ = api.Shutdown(ctx)
}

// quiet is a provider without its goroutines.
type quiet struct {
	openfeature.FeatureProvider
}

func ready(b *testing.B, p *Provider) openfeature.FeatureProvider {
	b.Helper()
	return quiet{p}
}

// idle answers at once: what is left is what the client costs.
type idle struct{ openfeature.NoopProvider }

func (idle) Metadata() openfeature.Metadata { return openfeature.Metadata{Name: "idle"} }

// BenchmarkStart initialises without a server, and gives one answer: from a
// last-known file, from a snapshot that was shipped, and from the data of a put.
// The ratio is to reading and compiling all flags, which is what a start would
// be otherwise; both are the best of their runs, which a busy machine spoils least.
func BenchmarkStart(b *testing.B) {
	for _, n := range []int{100, 1000} {
		r := comparing(7, n)
		_, bare, _ := bytes.Cut(encoded(b, r), []byte("\n"))
		for name, from := range map[string]func(*Config){
			"file":     func(c *Config) { c.Dir = b.TempDir(); writeLastKnown(b, c.Dir, r) },
			"shipped":  func(c *Config) { c.Bootstrap = encoded(b, r) },
			"of a put": func(c *Config) { c.Bootstrap = bare },
		} {
			b.Run(fmt.Sprintf("%d flags/%s", n, name), func(b *testing.B) {
				c := config(offline)
				from(&c)
				best, whole := time.Duration(math.MaxInt64), readAll(b, bare)
				for b.Loop() {
					best = min(best, begin(b, c))
				}
				b.ReportMetric(float64(best)/float64(whole), "of-reading-all")
				b.ReportMetric(float64(best), "best-ns")
			})
		}
	}
}

// begin is one start: only what the application waits for is measured.
func begin(b *testing.B, c Config) time.Duration {
	b.Helper()
	began := time.Now()
	p, err := New(c)
	if err == nil {
		err = p.Init(openfeature.EvaluationContext{})
	}
	if err == nil {
		err = p.asks("shop.flag-0000", "u-1").Error()
	}
	took := time.Since(began)
	b.StopTimer()
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	_ = p.ShutdownWithContext(ctx) // the exposure is of no interest
	b.StartTimer()
	return took
}

// readAll returns how long it takes to read and compile a ruleset, at best.
func readAll(b *testing.B, text []byte) time.Duration {
	b.Helper()
	best := time.Hour
	for range 10 {
		began := time.Now()
		var r flags.Ruleset
		if err := json.Unmarshal(text, &r); err != nil {
			b.Fatal(err)
		}
		newSnapshot(FromBootstrap, r, nil)
		best = min(best, time.Since(began))
	}
	return best
}

func writeLastKnown(b *testing.B, dir string, r flags.Ruleset) {
	b.Helper()
	if err := writeWhole(filepath.Join(dir, lastKnownFile), encoded(b, r)); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkMemory says what 1,000 flags take, all of which have been asked.
func BenchmarkMemory(b *testing.B) {
	const n = 1000
	var p *Provider
	for b.Loop() {
		before := heap()
		p = holding(b, comparing(7, n), func(c *Config) { c.Window = time.Hour })
		held := heap()
		for _, key := range p.held.Load().set.Keys() {
			for _, unit := range []string{"u-1", "u-2", "u-3"} {
				p.asks(key, unit)
			}
		}
		p.queue = newQueue(&p.config) // exposures are bounded, and not what is measured
		p.seen = newSeen(0)
		b.ReportMetric(float64(held-before)/n, "B/flag")
		b.ReportMetric(float64(heap()-before)/n, "B/flag-asked")
	}
	runtime.KeepAlive(p)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first has only marked
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
