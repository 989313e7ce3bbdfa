package natslog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// quiet is how long a cluster may be silent before all its servers are taken
// to have answered.
const quiet = time.Second

// dial reaches servers that others run, and checks that they keep the promise
// that the embedded one keeps.
func dial(ctx context.Context, c Config, lg *slog.Logger) (*nats.Conn, error) {
	if err := assertSync(ctx, c, lg); err != nil {
		return nil, err
	}
	nc, err := nats.Connect(c.URL, options(lg)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", redact(c.URL), err)
	}
	if v := nc.ConnectedServerVersion(); !recent(v) {
		nc.Close()
		return nil, fmt.Errorf("the server at %s is version %s; 2.15 is the first whose compaction writes before it answers", redact(c.URL), v)
	}
	return nc, nil
}

// assertSync asks every server whether it writes before it answers. Only the
// system account may ask.
func assertSync(ctx context.Context, c Config, lg *slog.Logger) error {
	if c.SystemURL == "" {
		if c.TrustSync {
			lg.Warn("whether the servers write before they answer is taken on trust")
			return nil
		}
		return errors.New("sync_interval: always cannot be checked without a user of the system account: give its URL, or vouch for the setting")
	}
	nc, err := nats.Connect(c.SystemURL, options(lg)...)
	if err != nil {
		return fmt.Errorf("connecting to the system account: %w", err)
	}
	defer nc.Close()
	answers, err := ask(ctx, nc)
	if err != nil {
		return fmt.Errorf("asking the servers for their settings: %w", err)
	}
	return judge(answers)
}

// settings is what we read of a server's answer to VARZ.
type settings struct {
	Server struct {
		Name string `json:"name"`
	} `json:"server"`
	Data struct {
		JetStream struct {
			Config *struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"jetstream"`
	} `json:"data"`
}

// ask collects the answers of every server, until they fall silent.
func ask(ctx context.Context, nc *nats.Conn) ([]settings, error) {
	inbox := nc.NewInbox()
	sub, err := nc.SubscribeSync(inbox)
	if err != nil {
		return nil, err
	}
	defer sub.Unsubscribe()
	if err := nc.PublishRequest("$SYS.REQ.SERVER.PING.VARZ", inbox, nil); err != nil {
		return nil, err
	}
	var all []settings
	for ctx.Err() == nil {
		m, err := sub.NextMsg(quiet)
		if errors.Is(err, nats.ErrTimeout) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		var one settings
		if err := json.Unmarshal(m.Data, &one); err != nil {
			return nil, fmt.Errorf("reading an answer: %w", err)
		}
		all = append(all, one)
	}
	return nil, ctx.Err()
}

func judge(answers []settings) error {
	stores := 0
	for _, a := range answers {
		if a.Data.JetStream.Config == nil {
			continue // a server of the cluster without JetStream
		}
		if stores++; !a.Data.JetStream.Config.SyncAlways {
			return fmt.Errorf("server %s answers before it writes: set jetstream { sync_interval: always }", a.Server.Name)
		}
	}
	if stores == 0 {
		return errors.New("no server with JetStream answered")
	}
	return nil
}

// recent reports whether a version is 2.15 or later.
func recent(version string) bool {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (major > 2 || major == 2 && minor >= 15)
}

// redact takes credentials out of a list of URLs.
func redact(urls string) string {
	list := strings.Split(urls, ",")
	for i, u := range list {
		if scheme, rest, ok := strings.Cut(u, "://"); ok {
			list[i] = scheme + "://" + rest[strings.LastIndex(rest, "@")+1:]
		}
	}
	return strings.Join(list, ",")
}
