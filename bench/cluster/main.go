// Command cluster torments three NATS servers, three Sluice replicas on them
// and one ClickHouse. It sends events and changes of the log while the server
// that leads a stream is killed with SIGKILL, again and again, and says what
// was lost and what is there twice (both must be 0), how long nothing was
// acknowledged, and what its clients were refused. Its own record of what was
// acknowledged is compared with what is stored at the end.
//
// Every process is the built program: the servers of NATS, the replicas (two
// that take events, one that loads them), and the engine, which is served over
// loopback TCP to whoever has the password, in place of a ClickHouse server.
//
//	go run ./bench/cluster --kills 20 --seed 1
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/sluice-hq/sluice/internal/natslog/natstest"
)

func main() {
	seed := flag.Uint64("seed", 1, "of which leader dies, and when")
	kills := flag.Int("kills", 20, "how many leaders")
	binary := flag.String("binary", "bin/sluice", "the built program")
	documents := flag.String("documents", "cmd/sluice/demo/cookie-cats.yaml", "flag, metrics and plan")
	dir := flag.String("data", "", "empty folder of all data, kept; default: a temporary one")
	flag.Parse()
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Minute+time.Duration(*kills)*time.Minute)
	err := run(ctx, *seed, *kills, *binary, *documents, *dir)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, seed uint64, kills int, binary, documents, dir string) (err error) {
	binary, err = filepath.Abs(binary)
	if dir == "" && err == nil {
		dir, err = os.MkdirTemp("", "sluice-cluster-")
		defer os.RemoveAll(dir)
	}
	if err != nil {
		return err
	}
	w := &world{binary: binary, dir: dir}
	defer func() { err = errors.Join(err, w.close()) }()
	if err := w.open(ctx); err != nil {
		return err
	}
	o := &oracle{replicas: w.takers(), admin: w.token}
	if err := o.prepare(ctx, documents); err != nil {
		return err
	}
	sending, enough := context.WithCancel(ctx)
	defer enough()
	o.send(sending)
	deaths, killed := torment(ctx, w.servers, o, rand.New(rand.NewPCG(seed, 0)), kills)
	enough()
	o.wait.Wait()
	return errors.Join(killed, report(ctx, w, o, seed, deaths))
}

// streams are those whose leaders die, in turn: facts are spread over eight.
var streams = []string{"FACTS_0", "FACTS_3", "FACTS_5", "CONTROL", "KV_LOADER"}

// death is what one killed leader cost.
type death struct {
	stream   string
	server   int
	gap      time.Duration // longest time without an acknowledged request, of events or changes
	together time.Duration // until every stream had a leader and two followers again
}

// torment kills the leader of a stream, starts it again when another leads,
// and waits until all have everything.
func torment(ctx context.Context, c *natstest.Cluster, o *oracle, r *rand.Rand, kills int) (list []death, err error) {
	for n := range kills {
		pause(ctx, time.Second+time.Duration(r.IntN(2000))*time.Millisecond)
		d, err := kill(ctx, c, o, streams[n%len(streams)])
		if err != nil {
			return list, fmt.Errorf("death %d, of the leader of %s: %w", n+1, d.stream, err)
		}
		fmt.Printf("%2d  %-10s  server %d  longest gap %5.2f s  together after %5.2f s\n", n+1, d.stream, d.server+1, d.gap.Seconds(), d.together.Seconds())
		list = append(list, d)
	}
	return list, nil
}

func kill(ctx context.Context, c *natstest.Cluster, o *oracle, stream string) (d death, err error) {
	d.stream = stream
	if d.server, err = c.Leader(ctx, stream); err != nil {
		return d, err
	}
	o.gaps() // those before do not count
	began := time.Now()
	if err := c.Kill(d.server); err != nil {
		return d, err
	}
	for leader := d.server; leader == d.server; {
		if leader, err = c.Leader(ctx, stream); err != nil {
			return d, err
		}
	}
	pause(ctx, 2*time.Second) // alone with one follower
	if err := c.Restart(d.server); err != nil {
		return d, err
	}
	err = c.Meet(ctx)
	d.together = time.Since(began)
	d.gap = o.gaps()
	return d, err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
