package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/sluice-hq/sluice/ingest"
	"github.com/sluice-hq/sluice/internal/notify"
)

// serveCmd runs everything in one process.
type serveCmd struct {
	Listen            string        `help:"Address to serve on." default:"127.0.0.1:8321" env:"SLUICE_LISTEN"`
	Data              string        `help:"Folder of the data." default:"data" env:"SLUICE_DATA"`
	Lib               string        `help:"Path of libchdb; default: beside the program, or in node_modules." env:"SLUICE_ENGINE"`
	Nats              string        `help:"NATS server or cluster (nats://…); default: embedded." env:"SLUICE_NATS"`
	NatsSystem        string        `help:"The same servers as a user of their system account: proves that they write to disk before they answer." env:"SLUICE_NATS_SYSTEM"`
	TrustSync         bool          `help:"Vouch for sync_interval: always where there is no system account to ask." env:"SLUICE_TRUST_SYNC"`
	Clickhouse        string        `help:"ClickHouse server (clickhouse://…, http://…); default: the embedded engine." env:"SLUICE_CLICKHOUSE"`
	NatsReplicas      int           `help:"Servers of the NATS cluster that each stream is kept on: 1, 3 or 5." default:"1" env:"SLUICE_NATS_REPLICAS"`
	Shards            int           `help:"Streams of facts, fixed by the first start; 0: 8 with NATS replicas, 1 without." default:"0" env:"SLUICE_SHARDS"`
	ClickhouseCluster string        `help:"The cluster that the ClickHouse server is one of, by its name there: tables are replicated and spread over its shards." env:"SLUICE_CLICKHOUSE_CLUSTER"`
	Every             time.Duration `help:"How often the controller looks at each rollout." default:"5s" env:"SLUICE_EVERY"`
	Roles             []string      `help:"What this replica does: some of flags,ingest,load,decide,web." default:"flags,ingest,load,decide,web" env:"SLUICE_ROLES"`
	KeepFree          ingest.Floor  `help:"How much of the disk stays free of events, which are refused below it: a share, a size, both or none." default:"5%,2GiB" env:"SLUICE_KEEP_FREE"`
	OpenMetrics       bool          `help:"Let /metrics be read without a token, on a network of your own." env:"SLUICE_OPEN_METRICS"`
	PublicURL         string        `help:"Address at which people reach this installation, for links in what is sent; default: where it listens." env:"SLUICE_PUBLIC_URL"`
	WebhookAllow      string        `help:"Internal addresses and networks that webhooks may be sent to: 10.1.0.0/16,127.0.0.1; default: none." env:"SLUICE_WEBHOOK_ALLOW"`
	Secrets           string        `help:"Folder of the secrets that webhooks name, one file each; default: secrets in the data folder." env:"SLUICE_SECRETS"`
	limitFlags
	oidcFlags
}

// Run serves until interrupted.
func (c serveCmd) Run(ctx context.Context) error {
	if c.Every <= 0 {
		return fmt.Errorf("--every %v is no pause; write one such as 5s", c.Every)
	}
	if err := c.checkServers(); err != nil {
		return err
	}
	roles, err := parseRoles(c.Roles)
	if err != nil {
		return err
	}
	limits, err := c.limits()
	if err != nil {
		return err
	}
	allow, err := c.webhooks()
	if err != nil {
		return err
	}
	signIn, err := c.party()
	if err != nil {
		return err
	}
	h, err := open(ctx, config{
		Data: c.Data, Listen: c.Listen, Lib: c.Lib, Nats: c.Nats, NatsSystem: c.NatsSystem, TrustSync: c.TrustSync, Clickhouse: c.Clickhouse,
		NatsReplicas: c.NatsReplicas, Shards: c.Shards, ClickhouseCluster: c.ClickhouseCluster,
		Every: c.Every, Roles: roles, Limits: limits, Floor: c.KeepFree, OpenMetrics: c.OpenMetrics,
		PublicURL: c.PublicURL, WebhookAllow: allow, Secrets: c.Secrets, SignIn: signIn,
	})
	if err != nil {
		return err
	}
	return h.run(ctx, func(ctx context.Context, address, adminToken string) error {
		if adminToken != "" {
			fmt.Printf("admin token (shown this once): %s\n", adminToken)
		}
		fmt.Printf("Sluice is ready at %s\n", address)
		<-ctx.Done()
		return nil
	})
}

// webhooks checks what is said of them, and returns the internal addresses that
// they may be sent to.
func (c serveCmd) webhooks() (notify.Allow, error) {
	u, err := url.Parse(c.PublicURL)
	if c.PublicURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("--public-url %q is not an address; write one such as https://sluice.example.com", c.PublicURL)
	}
	allow, err := notify.ParseAllow(c.WebhookAllow)
	if err != nil {
		return nil, fmt.Errorf("--webhook-allow: %w", err)
	}
	return allow, nil
}

// checkServers refuses what only servers can do where there are none.
func (c serveCmd) checkServers() error {
	switch n := c.NatsReplicas; {
	case n < 1 || n > 5:
		return fmt.Errorf("--nats-replicas %d cannot be; write 1, or 3 or 5 for a cluster of that many servers", n)
	case n > 1 && c.Nats == "":
		return fmt.Errorf("--nats-replicas %d needs a NATS cluster: name its servers with --nats", n)
	case c.Shards < 0 || c.Shards > maxShards:
		return fmt.Errorf("--shards %d cannot be; write 1 to %d, or 0 for the usual number", c.Shards, maxShards)
	case c.ClickhouseCluster != "" && c.Clickhouse == "":
		return fmt.Errorf("--clickhouse-cluster %s needs a server of it: name one with --clickhouse", c.ClickhouseCluster)
	}
	return nil
}

// maxShards is more than any cluster here has been tried with; each takes a
// stream, a loader and its share of the broker's room.
const maxShards = 64
