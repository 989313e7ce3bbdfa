// Package internal_test states who may import whom. The rooms of Sluice have
// few doors, and arrows between them point down only.
package internal_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sluice-hq/sluice/"

// arrows lists, for every room, the rooms that it may import. A new arrow
// needs a reason in the commit that adds it.
var arrows = map[string][]string{
	"event":            {},
	"stats":            {"stats/groupseq"},                         // its tests that look at planned times
	"stats/calculator": {"stats", "stats/groupseq", "stats/peers"}, // the JSON door: questions and answers about its values
	"stats/groupseq":   {},
	"stats/peers":      {"stats", "stats/groupseq"},  // formulae of other programs, over its samples
	"flags":            {"event", "flags/jsonlogic"}, // it compiles imported targeting, and gives it flagd's operators
	"flags/jsonlogic":  {"event"},                    // whose faults it reports
	"flags/flagd":      {"flags", "flags/jsonlogic", "event"},
	"flags/peers":      {"flags", "event"}, // exports of other systems become its documents

	"flags/peers/unleash":      {"flags/peers", "flags", "event"},
	"flags/peers/launchdarkly": {"flags/peers", "flags", "event"},
	"flags/peers/growthbook":   {"flags/peers", "flags", "event"},
	"flags/peers/featbit":      {"flags/peers", "flags", "event"},
	"flags/peers/flagsmith":    {"flags/peers", "flags", "event"},

	"ingest":             {"stats", "event", "ingest/otlp", "ingest/shapes", "internal/trace"}, // it takes log records of evaluations, and what other programs send
	"ingest/shapes":      {"event"},                                                            // whose faults it reports
	"ingest/otlp":        {"event"},                                                            // whose faults it reports
	"sdk":                {"flags", "event"},                                                   // strangers link it: it evaluates as the server does, and knows no other room
	"decisions":          {"flags", "stats", "event", "internal/trace"},                        // its controller alone writes spans
	"dashboards":         {"decisions", "decisions/rehearsal", "flags", "ingest", "stats", "event", "dashboards/chart"},
	"dashboards/chart":   {},
	"internal/manifest":  {"event"},
	"internal/refs":      {},
	"internal/tabular":   {"ingest", "event"}, // whose events rows become, under IDs that it derives
	"internal/access":    {"event"},
	"internal/mcp":       {"event"},                    // keys that lead nowhere else, and the form of refusals
	"internal/oidc":      {"internal/access", "event"}, // it says who somebody is in the words of internal/access
	"internal/limit":     {},
	"internal/notify":    {"event"}, // the server knows it: webhooks are documents, and their deliveries are asked for
	"internal/flagd":     {"flags", "event"},
	"internal/natslog":   {"event", "internal/ports"}, // its kit alone: servers that are killed and started again
	"internal/ports":     {},
	"internal/engine":    {},
	"internal/replica":   {"event"},
	"internal/stream":    {"flags", "event"}, // it encodes what an environment's flags are
	"internal/warehouse": {"ingest", "stats", "event"},
	"internal/server":    {"decisions", "decisions/rehearsal", "flags", "ingest", "stats", "stats/calculator", "event", "dashboards", "flags/flagd", "ingest/otlp", "ingest/shapes", "internal/access", "internal/flagd", "internal/limit", "internal/manifest", "internal/meter", "internal/oidc", "internal/replica", "internal/stream", "internal/trace", "internal/notify"},
	"internal/meter":     {},  // what it writes, it is given
	"internal/harness":   nil, // nil: anything, it holds tests alone
	"cmd/sluice":         nil,
	"bench/chaos":        nil,
	"bench/events":       nil, // it inserts beside the loader, and reads what the API answers
	"bench/readouts":     nil, // it makes rows inside the engine
	"bench/cluster":      nil,
	"bench/simulate":     {"stats", "stats/groupseq", "stats/peers"},
	"bench/streams":      {"bench/serving", "event"}, // it sends events, under IDs of its own
	"bench/serving":      nil,                        // it starts the built program

	"internal/trace":      {},                                       // spans by the interface alone, so that who links ingest or decisions gets no exporter
	"internal/trace/otlp": {"internal/trace"},                       // it makes the tracer
	"examples/checkout":   {"sdk"},                                  // what an application sees of us
	"decisions/rehearsal": {"decisions", "flags", "stats", "event"}, // its controller on a made-up crowd
	"bench/rehearse":      {"decisions", "decisions/rehearsal", "flags", "stats", "event"},
	"bench/rollouts":      {"decisions", "flags", "stats", "event"},
}

// kits are packages that tests import: each may see its own room and below.
var kits = map[string]string{
	"dashboards/browsertest":       "dashboards",
	"event/eventtest":              "event",
	"flags/peers/peerstest":        "flags/peers",
	"ingest/ingesttest":            "ingest",
	"internal/engine/enginetest":   "internal/engine",
	"internal/natslog/natstest":    "internal/natslog",
	"sdk/sdktest":                  "sdk", // tests of applications import it
	"internal/oidc/oidctest":       "internal/oidc",
	"internal/replica/replicatest": "internal/replica",
	"internal/trace/tracetest":     "internal/trace/otlp",
}

// doors lists, for dependencies that must not spread, the one room that owns
// each.
var doors = map[string][]string{
	"github.com/minio/highwayhash":     {"internal/natslog"}, // the checksum of the server's files
	"github.com/nats-io/":              {"internal/natslog"},
	"github.com/ClickHouse/":           {"internal/warehouse"},
	"github.com/pressly/goose":         {"internal/warehouse"},
	"github.com/ebitengine/purego":     {"internal/engine"},
	"github.com/gorilla/mux":           {"internal/server"},
	"github.com/danielgtaylor/huma":    {"internal/server"},
	"github.com/goccy/go-yaml":         {"internal/manifest", "sdk"},                     // of the latter, its kit: tests of applications bring documents along, and import no internal room
	"github.com/open-feature/":         {"sdk", "examples/checkout"},                     // the SDK is a provider for its clients
	"go.opentelemetry.io/otel":         {"sdk", "internal/trace", "internal/trace/otlp"}, // the interface of spans, on which the SDK writes its answers
	"connectrpc.com/":                  {"internal/flagd"},
	"google.golang.org/protobuf":       {"internal/flagd", "internal/trace/otlp"},  // of the latter, its kit: a collector for tests
	"golang.org/x/time":                {"internal/stream"},                        // the token bucket of new streams
	"gonum.org/":                       {"stats", "stats/groupseq", "stats/peers"}, // a quantile of the normal, of the room below
	"github.com/google/uuid":           {"event"},
	"github.com/klauspost/compress":    {"ingest"},
	"github.com/zeebo/xxh3":            {"ingest"},
	"github.com/parquet-go/":           {"internal/tabular"},
	"github.com/go-git/":               {"internal/refs"}, // what a .gitignore means
	"github.com/alecthomas/kong":       {"cmd/sluice"},
	"github.com/coreos/go-oidc":        {"internal/oidc"}, // signatures, keys and discovery of an issuer of identities
	"golang.org/x/oauth2":              {"internal/oidc"}, // the exchange of a code, with PKCE
	"github.com/modelcontextprotocol/": {"internal/mcp"},  // the protocol that assistants speak
	"github.com/google/jsonschema-go":  {"internal/mcp"},  // how it describes arguments

	"go.opentelemetry.io/otel/sdk":       {"internal/trace/otlp"},
	"go.opentelemetry.io/otel/exporters": {"internal/trace/otlp"}, // it brings grpc along, which nothing here speaks
	"go.opentelemetry.io/proto":          {"internal/trace/otlp"}, // its kit: a collector for tests
}

func TestArrowsPointDown(t *testing.T) {
	for file, imports := range sources(t, false) {
		room := roomOf(filepath.Dir(file))
		for _, path := range imports {
			to, ours := strings.CutPrefix(path, module)
			if ours && roomOf(to) != room && !mayImport(room, to) {
				t.Errorf("%s imports %s: that arrow is not in the list", file, to)
			}
		}
	}
}

// roomOf returns the room that a folder belongs to: generated code is its
// user's.
func roomOf(dir string) string {
	room, _, _ := strings.Cut(dir, "/gen/")
	return room
}

func mayImport(room, to string) bool {
	if home, ok := kits[room]; ok {
		return to == home || slices.Contains(arrows[home], to)
	}
	allowed, known := arrows[room]
	return known && (allowed == nil || slices.Contains(allowed, to))
}

func TestDependenciesHaveOneDoor(t *testing.T) {
	for file, imports := range sources(t, false) {
		room := roomOf(filepath.Dir(file))
		if home, ok := kits[room]; ok {
			room = home
		}
		for _, path := range imports {
			for prefix, owners := range doors {
				if strings.HasPrefix(path, prefix) && !slices.Contains(owners, room) {
					t.Errorf("%s imports %s, which belongs to %v", file, path, owners)
				}
			}
		}
	}
}

// TestOnlyShellsTrace keeps spans out of the cores: of the rooms that have both,
// these files are the shells.
func TestOnlyShellsTrace(t *testing.T) {
	shells := []string{
		"ingest/intake.go", "ingest/packer.go", "ingest/block.go", "decisions/controller.go", "decisions/act.go",
	}
	for file, imports := range sources(t, false) {
		core := strings.HasPrefix(file, "ingest/") || strings.HasPrefix(file, "decisions/")
		if core && slices.Contains(imports, module+"internal/trace") && !slices.Contains(shells, file) {
			t.Errorf("%s writes spans: that is for shells", file)
		}
	}
}

// TestStatsAndEventStandAlone pins the two rooms at the bottom to the
// standard library, the one module that each owns and the rooms below their
// own.
func TestStatsAndEventStandAlone(t *testing.T) {
	own := map[string]string{"event": "github.com/google/uuid", "stats": "gonum.org/"}
	for file, imports := range sources(t, false) {
		mine, ok := own[filepath.Dir(file)]
		for _, path := range imports {
			below := strings.HasPrefix(path, module+filepath.ToSlash(filepath.Dir(file))+"/")
			if ok && !below && strings.Contains(path, ".") && !strings.HasPrefix(path, mine) {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
}

// TestOnlyCmdReadsTheClock keeps time a parameter everywhere else. Shells that
// measure a timeout of their own are listed with the reason.
func TestOnlyCmdReadsTheClock(t *testing.T) {
	for _, room := range []string{"event", "flags", "stats", "decisions", "dashboards", "internal/access", "internal/manifest", "internal/oidc", "internal/replica", "internal/stream"} {
		for file, text := range texts(t, room) {
			if strings.Contains(text, "time.Now(") {
				t.Errorf("%s reads the clock; take now time.Time instead", file)
			}
		}
	}
}

// sources returns the import paths of every Go file of the module, tests
// included or not.
func sources(t *testing.T, tests bool) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	walk(t, "..", tests, func(path, rel string) {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			p, _ := strconv.Unquote(spec.Path.Value)
			found[rel] = append(found[rel], p)
		}
	})
	return found
}

func texts(t *testing.T, room string) map[string]string {
	t.Helper()
	found := map[string]string{}
	walk(t, filepath.Join("..", room), false, func(path, _ string) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found[path] = string(b)
	})
	return found
}

func walk(t *testing.T, root string, tests bool, visit func(path, rel string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil && d.IsDir() && path != root {
			return filepath.SkipDir // a module of its own has rules of its own
		}
		if !strings.HasSuffix(path, ".go") || !tests && strings.HasSuffix(path, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel("..", path)
		visit(path, filepath.ToSlash(rel))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
