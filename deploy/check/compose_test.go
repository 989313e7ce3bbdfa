package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	strict "sigs.k8s.io/yaml"
)

const root = "../.."

// composed is what of docker-compose.yml this test looks at.
type composed struct {
	Services map[string]struct {
		Environment map[string]string
		DependsOn   map[string]any `json:"depends_on"`
		Volumes     []string
		Ports       []string
	}
	Volumes map[string]any
}

func compose(t *testing.T) composed {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var c composed
	if err := strict.Unmarshal(b, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestComposeLeadsSomewhere: services, files, volumes and settings that are named
// are there; nothing is open to the network, and no secret has a default.
func TestComposeLeadsSomewhere(t *testing.T) {
	c := compose(t)
	secret := regexp.MustCompile(`\$\{\w*PASSWORD[^}]*\}`)
	for name, s := range c.Services {
		for other := range s.DependsOn {
			if _, is := c.Services[other]; !is {
				t.Errorf("%s depends on %s, which is no service", name, other)
			}
		}
		for _, v := range s.Volumes {
			from, _, _ := strings.Cut(v, ":")
			_, named := c.Volumes[from]
			if _, err := os.Stat(filepath.Join(root, from)); !named && (!strings.HasPrefix(from, "./") || err != nil) {
				t.Errorf("%s: there is no %s", name, from)
			}
		}
		for _, p := range s.Ports {
			if !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s: the port %s is open to the network, without TLS", name, p)
			}
		}
		for variable, value := range s.Environment {
			for _, text := range secret.FindAllString(value, -1) {
				if name != "sluice" && !strings.Contains(text, ":?") {
					t.Errorf("%s: %s may be left out: %s", name, variable, text)
				}
			}
			if strings.HasPrefix(variable, "SLUICE_") && !settings(t)[variable] {
				t.Errorf("sluice serve has no %s", variable)
			}
		}
	}
}

// TestComposeIsCompose: what Docker's own reader makes of the file, where it is
// installed. Nothing is started.
func TestComposeIsCompose(t *testing.T) {
	reader, err := exec.LookPath("docker-compose")
	if err != nil {
		t.Skipf("SKIPPED, nothing was tested: %v", err)
	}
	read := exec.Command(reader, "-f", "docker-compose.yml", "config", "-q")
	read.Dir = root
	if out, err := read.CombinedOutput(); err == nil || !strings.Contains(string(out), "set NATS_PASSWORD to a secret of your own") {
		t.Errorf("without secrets: %v: %s", err, out)
	}
	read = exec.Command(reader, "-f", "docker-compose.yml", "config", "-q")
	read.Dir, read.Env = root, append(os.Environ(), "NATS_PASSWORD=n1", "CLICKHOUSE_PASSWORD=c1", "GRAFANA_PASSWORD=g1")
	if out, err := read.CombinedOutput(); err != nil {
		t.Errorf("with secrets: %v: %s", err, out)
	}
}

// TestComposeNATS: the broker beside it writes to disk before it answers.
func TestComposeNATS(t *testing.T) {
	t.Setenv("NATS_PASSWORD", "n0")
	options, err := server.ProcessConfigFile(filepath.Join("..", "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if !options.SyncAlways || len(options.Accounts) != 2 || options.SystemAccount != "SYS" {
		t.Errorf("read as %+v", options)
	}
}
