// Command checkout is a small shop that asks Sluice which checkout a user gets,
// and tells what was bought: what a service needs, and no more.
//
//	SLUICE_TOKEN=sls_… checkout -sluice http://127.0.0.1:8321 -data /var/lib/checkout
//	curl -X POST 'http://127.0.0.1:8080/checkout?user=u-1'
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/sdk"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "address to serve at")
	server := flag.String("sluice", "http://127.0.0.1:8321", "address of Sluice")
	data := flag.String("data", "checkout-data", "folder of this process, for what has to outlive it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, sdk.Config{URL: *server, Token: os.Getenv("SLUICE_TOKEN"), Dir: *data, Log: slog.Default()}); err != nil {
		slog.Error("checkout ended", "error", err)
		os.Exit(1)
	}
}

// leave is how long a shutdown may take: the requests under way, and the events
// that wait.
const leave = 10 * time.Second

// run serves until ctx is done.
func run(ctx context.Context, listen string, c sdk.Config) error {
	provider, err := sdk.New(c)
	if err != nil {
		return err
	}
	if err := openfeature.SetProviderWithContextAndWait(ctx, provider); err != nil {
		slog.Warn("there are no flags yet: users get the old checkout", "error", err)
	}
	s := &http.Server{Addr: listen, Handler: newShop(openfeature.NewClient("checkout"), provider), ReadHeaderTimeout: leave}
	ended := make(chan error, 1)
	go func() { ended <- s.ListenAndServe() }()
	select {
	case err = <-ended: // the address is another's, say
	case <-ctx.Done():
	}
	end, stop := context.WithTimeout(context.Background(), leave)
	defer stop()
	// In this order: requests that are under way still say what was bought.
	return errors.Join(err, s.Shutdown(end), openfeature.ShutdownWithContext(end))
}
