package sdk

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// Config says where the flags come from and what is kept. URL and Token are
// required.
type Config struct {
	URL         string // of a Sluice server: "https://sluice.example.com"
	Token       string // of a service: sls_…
	Environment string // empty: that of the token

	// Dir is a folder of this process alone, for the last-known file and the queue
	// of events. Empty: nothing outlives the process. Where it cannot be used, the
	// provider goes on without it and says so in Stats.Disk.
	Dir string

	// Bootstrap is what Provider.Snapshot returned, or the data of a put of the
	// stream. It is used where there is no last-known file, or one that is older.
	Bootstrap []byte

	Attributes []string      // of the evaluation context that go along with exposures and tracked events; none by default: a context holds more than anybody meant to store
	Window     time.Duration // in which a unit's exposure is sent once; zero: 1 h
	Wait       time.Duration // for the first flags, when initialising with nothing at hand; zero: 5 s
	Stale      time.Duration // without a sign of life of the server, after which the state is Stale; zero: 30 s
	Report     time.Duration // between two counts of evaluations; zero: 1 min; negative: never
	Queue      Queue

	Refused func(Refusal)    // is told of every event that cannot be stored; nil: the log says how many. It must not block
	Client  *http.Client     // its Timeout is of no account: a stream has none; nil: one of its own
	Log     *slog.Logger     // nil: silent
	Now     func() time.Time // nil: time.Now
}

// Queue bounds what waits to be sent. The zero value has the defaults.
type Queue struct {
	Events int           // that wait in memory; zero: 10,000
	Bytes  int64         // that wait on disk; zero: 100 MiB, at least 64 KiB
	Sync   time.Duration // how long what was written may be missing on the disk itself, which a loss of power takes; zero: 1 s; negative: it is brought there at once, which costs a few milliseconds for those that came together
	Flush  time.Duration // how long an event waits for others to go with it; zero: 1 s
}

func (c *Config) window() time.Duration { return orElse(c.Window, time.Hour) }
func (c *Config) wait() time.Duration   { return orElse(c.Wait, 5*time.Second) }
func (c *Config) stale() time.Duration  { return orElse(c.Stale, 30*time.Second) }
func (c *Config) report() time.Duration { return orElse(c.Report, time.Minute) }

func (q Queue) events() int          { return orElse(q.Events, 10_000) }
func (q Queue) bytes() int64         { return max(orElse(q.Bytes, 100<<20), 64<<10) }
func (q Queue) sync() time.Duration  { return orElse(q.Sync, time.Second) }
func (q Queue) flush() time.Duration { return orElse(q.Flush, time.Second) }

func orElse[T int | int64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// log returns the logger, which may be silent.
func (c *Config) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

// now reads the clock: this package is linked into programs of others, so that
// it is its own shell.
func (c *Config) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// check returns every fault as event.Invalids, or nil.
func (c *Config) check() error {
	var faults event.Invalids
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		faults.Add("URL", nil, "is missing", "name the server, such as https://sluice.example.com")
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.RawQuery != "", u.Fragment != "":
		faults.Add("URL", c.URL, "is not the address of a server", "write it like https://sluice.example.com")
	}
	switch {
	case c.Token == "":
		faults.Add("Token", nil, "is missing", "make one for the service: sluice token --environment production shop")
	case strings.HasPrefix(c.Token, "slc_"):
		faults.Add("Token", "slc_…", "is a client's, which is never given rules", "make one for the service, which begins with sls_")
	}
	c.checkBounds(&faults)
	return faults.Err()
}

// checkBounds refuses what is negative and means nothing.
func (c *Config) checkBounds(faults *event.Invalids) {
	for _, d := range []struct {
		path     string
		value    time.Duration
		standard string
	}{
		{"Window", c.Window, "an hour"}, {"Wait", c.Wait, "5 s"}, {"Stale", c.Stale, "30 s"}, {"Queue.Flush", c.Queue.Flush, "1 s"},
	} {
		if d.value < 0 {
			faults.Add(d.path, d.value.String(), "is negative", "leave it at zero for "+d.standard)
		}
	}
	if c.Queue.Events < 0 {
		faults.Add("Queue.Events", c.Queue.Events, "is negative", "leave it at zero for 10,000")
	}
	if c.Queue.Bytes < 0 {
		faults.Add("Queue.Bytes", c.Queue.Bytes, "is negative", "leave it at zero for 100 MiB")
	}
}
