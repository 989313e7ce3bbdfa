package natstest

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Leader returns which server leads a stream.
func (c *Cluster) Leader(ctx context.Context, stream string) (int, error) {
	for {
		info, err := c.info(ctx, stream)
		if err == nil && info.Cluster != nil {
			for i, m := range c.members {
				if m.name == info.Cluster.Leader {
					return i, nil
				}
			}
		}
		if !rest(ctx) {
			return 0, fmt.Errorf("%s has no leader: %w", stream, ctx.Err())
		}
	}
}

// Meet waits until every stream has a leader and two followers that have all
// it has; with no stream yet, until streams can be made.
func (c *Cluster) Meet(ctx context.Context) error {
	why := ""
	for {
		if why = c.apart(ctx); why == "" {
			return nil
		}
		if !rest(ctx) {
			return fmt.Errorf("waiting for the servers to agree: %s: %w", why, ctx.Err())
		}
	}
}

// apart says what keeps the servers from agreeing.
func (c *Cluster) apart(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := c.js.AccountInfo(ctx); err != nil {
		return err.Error()
	}
	names := c.js.StreamNames(ctx)
	for name := range names.Name() {
		info, err := c.info(ctx, name)
		if err != nil {
			return err.Error()
		}
		if why := behind(info); why != "" {
			return name + why
		}
	}
	if err := names.Err(); err != nil {
		return err.Error()
	}
	return ""
}

func behind(info *jetstream.StreamInfo) string {
	if info.Config.Replicas == 1 {
		return ""
	}
	if info.Cluster == nil || info.Cluster.Leader == "" {
		return " has no leader"
	}
	for _, p := range info.Cluster.Replicas {
		if !p.Current || p.Offline || p.Lag > 0 {
			return fmt.Sprintf(": %s is behind", p.Name)
		}
	}
	return ""
}

func (c *Cluster) info(ctx context.Context, stream string) (*jetstream.StreamInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return nil, err
	}
	return s.CachedInfo(), nil
}

// rest waits a moment and reports whether ctx is still alive.
func rest(ctx context.Context) bool {
	t := time.NewTimer(50 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
