package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/notify"
	"github.com/sluice-hq/sluice/internal/server"
)

// openHooks makes what tells webhooks. Their outboxes lie where the loaders'
// progress does: while the streams of facts are not there, what is to be told
// waits in the log.
func (h *house) openHooks(context.Context) error {
	h.hooks = &notify.Sender{
		Log: h.streams.Log, KV: values{h}, House: h.projection, State: h.folds.Webhooks,
		Teller: teller{log: h.streams.Log, projection: h.projection, folds: h.folds}, Doors: notify.Open(h.WebhookAllow),
		Secrets: h.secrets, Key: h.key, Base: h.base(), Now: now, Jitter: rand.Float64, Logger: h.lg,
	}
	return nil
}

// base is the address that links lead to.
func (h *house) base() string {
	if h.PublicURL != "" {
		return strings.TrimSuffix(h.PublicURL, "/")
	}
	return h.address()
}

// values are the small values of the streams of facts, once these are there.
type values struct{ house *house }

var _ ingest.KV = values{}

// Load implements ingest.KV.
func (v values) Load(ctx context.Context, key string) ([]byte, uint64, error) {
	in, err := v.house.intake.get()
	if err != nil {
		return nil, 0, err
	}
	return in.kv.Load(ctx, key)
}

// Save implements ingest.KV.
func (v values) Save(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	in, err := v.house.intake.get()
	if err != nil {
		return 0, err
	}
	return in.kv.Save(ctx, key, value, rev)
}

// secrets reads what the operator keeps under a name, anew every time, so that
// a secret is changed without a restart. A file has one a line, the newest
// first. The name is a key, so that it leads nowhere else.
func (h *house) secrets(name string) (list []string, err error) {
	dir := h.Secrets
	if dir == "" {
		dir = filepath.Join(h.Data, "secrets")
	}
	if why := event.CheckKey(name); why != "" {
		return nil, event.Invalid{Path: "secret", Why: why}
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return nil, fmt.Errorf("there is no secret %s: put it into a file of that name in %s", name, dir)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the file of secret %s is empty", name)
	}
	return list, nil
}

// notify sends what webhooks are to be told, where decisions are made. A
// receiver that is slow keeps nobody else waiting: each webhook is a step of its
// own.
func (h *house) notify(ctx context.Context) error {
	if !h.Roles.has(server.Decide) || h.readOnly() {
		return nil
	}
	r := &rounds{house: h, busy: map[string]bool{}, said: map[string]*once{}}
	if h.Nats != "" { // else nobody can be there: the data folder is ours alone
		r.lease = &ingest.Lease{KV: values{h}, Key: "lease.webhooks", Holder: h.replica.ID}
	}
	r.Group, ctx = errgroup.WithContext(ctx)
	err := h.act(ctx, time.Second, func() { r.begin(ctx) })
	err = errors.Join(err, r.Wait())
	r.release(ctx)
	return err
}

// rounds has every webhook take its step, again and again.
type rounds struct {
	*errgroup.Group
	house *house
	lease *ingest.Lease // nil: nobody else sends

	mu   sync.Mutex
	busy map[string]bool  // webhooks whose step is under way
	said map[string]*once // by webhook
}

// begin lets the webhooks step that have ended their last step, if this replica
// is the one that sends.
func (r *rounds) begin(ctx context.Context) {
	if r.lease != nil {
		held, err := r.lease.Hold(ctx, now())
		if r.about("").tell(ctx, err); !held {
			return
		}
	}
	var hooks []notify.Hook
	r.house.projection.View(func(uint64) { hooks = r.house.folds.Webhooks.Hooks() })
	for _, h := range hooks {
		if !r.take(h.Key) {
			continue
		}
		r.Go(func() error {
			defer r.leave(h.Key)
			r.about(h.Key).tell(ctx, r.house.hooks.Step(ctx, h.Key))
			return nil
		})
	}
}

func (r *rounds) take(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[key] {
		return false
	}
	r.busy[key] = true
	return true
}

func (r *rounds) leave(key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, key)
}

// about returns what has been said of a webhook's faults, or of all of them.
func (r *rounds) about(key string) *once {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.said[key] == nil {
		r.said[key] = &once{lg: r.house.lg, message: strings.TrimSpace("telling webhooks " + key)}
	}
	return r.said[key]
}

// release gives the lease back, so that nobody waits for its end.
func (r *rounds) release(ctx context.Context) {
	if r.lease == nil {
		return
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer stop()
	if err := r.lease.Release(ctx); err != nil {
		r.house.lg.Warn("the lease of the webhooks runs out by itself", "error", err)
	}
}
