package check

import (
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// secrets are those that kustomization.yaml has people make.
var secrets = map[string][]string{
	"sluice":          {"nats-password", "clickhouse-password", "cluster-secret"},
	"sluice-unit-key": {"unit.key"},
}

func TestEachOfTheThreeHasThreeReplicas(t *testing.T) {
	m := read(t)
	for _, name := range []string{"sluice", "nats", "clickhouse", "keeper"} {
		set := m.sets[name]
		if set == nil || *set.Spec.Replicas != 3 {
			t.Fatalf("%s has not three replicas", name)
		}
		budget := m.budgets[name]
		if budget == nil || budget.Spec.MaxUnavailable.IntValue() != 1 || !selects(t, budget.Spec.Selector, set) {
			t.Errorf("more than one of %s may be taken away at once", name)
		}
		if policy := m.policies[name]; policy == nil || !selects(t, &policy.Spec.PodSelector, set) {
			t.Errorf("no network policy is for %s", name)
		}
	}
}

// TestReferencesLeadSomewhere: what an object names is there.
func TestReferencesLeadSomewhere(t *testing.T) {
	m := read(t)
	for name, set := range m.sets {
		if !selects(t, set.Spec.Selector, set) {
			t.Errorf("%s does not select its own pods", name)
		}
		if m.services[set.Spec.ServiceName] == nil {
			t.Errorf("%s: no service %s gives its pods names", name, set.Spec.ServiceName)
		}
		pod := set.Spec.Template.Spec
		if account := pod.ServiceAccountName; account != "" && m.accounts[account] == nil {
			t.Errorf("%s: no service account %s", name, account)
		}
		for _, volume := range pod.Volumes {
			m.volume(t, name, volume)
		}
		for _, c := range pod.Containers {
			mounted(t, name, set, c)
			probed(t, name, c)
			for _, e := range c.Env {
				if e.ValueFrom != nil && e.ValueFrom.SecretKeyRef != nil {
					known(t, name, e.ValueFrom.SecretKeyRef.Name, e.ValueFrom.SecretKeyRef.Key)
				}
			}
		}
	}
	for name, s := range m.services {
		if !slices.ContainsFunc(all(m.sets), func(set *appsv1.StatefulSet) bool { return serves(s, set) }) {
			t.Errorf("service %s leads to a port that no pod has", name)
		}
	}
	for name, p := range m.policies {
		for _, rule := range p.Spec.Ingress {
			for _, port := range rule.Ports {
				if !slices.ContainsFunc(m.sets[name].Spec.Template.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool { return p.Name == port.Port.StrVal }) {
					t.Errorf("policy %s: the pods have no port %s", name, port.Port.StrVal)
				}
			}
		}
	}
}

func all(sets map[string]*appsv1.StatefulSet) (list []*appsv1.StatefulSet) {
	for _, s := range sets {
		list = append(list, s)
	}
	return list
}

func selects(t *testing.T, s *metav1.LabelSelector, set *appsv1.StatefulSet) bool {
	t.Helper()
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		t.Fatal(err)
	}
	return !selector.Empty() && selector.Matches(labels.Set(set.Spec.Template.Labels))
}

// serves says whether all ports of a service are ports of the pods that it selects.
func serves(s *corev1.Service, set *appsv1.StatefulSet) bool {
	if !labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(set.Spec.Template.Labels)) {
		return false
	}
	for _, port := range s.Spec.Ports {
		if !slices.ContainsFunc(set.Spec.Template.Spec.Containers[0].Ports, func(p corev1.ContainerPort) bool {
			return p.ContainerPort == port.Port && port.TargetPort.StrVal == "" || p.Name == port.TargetPort.StrVal
		}) {
			return false
		}
	}
	return true
}

func (m manifests) volume(t *testing.T, set string, v corev1.Volume) {
	t.Helper()
	switch {
	case v.ConfigMap != nil && m.configs[v.ConfigMap.Name] == nil:
		t.Errorf("%s: no config map %s is generated", set, v.ConfigMap.Name)
	case v.Secret != nil && secrets[v.Secret.SecretName] == nil:
		t.Errorf("%s: nobody is told to make the secret %s", set, v.Secret.SecretName)
	}
}

func known(t *testing.T, set, secret, key string) {
	t.Helper()
	if !slices.Contains(secrets[secret], key) {
		t.Errorf("%s: nobody is told to make %s of the secret %s", set, key, secret)
	}
	if how := string(content(t, "kustomization.yaml")); !strings.Contains(how, key) {
		t.Errorf("kustomization.yaml does not say how to make %s", key)
	}
}

func mounted(t *testing.T, name string, set *appsv1.StatefulSet, c corev1.Container) {
	t.Helper()
	there := map[string]bool{}
	for _, v := range set.Spec.Template.Spec.Volumes {
		there[v.Name] = true
	}
	for _, v := range set.Spec.VolumeClaimTemplates {
		there[v.Name] = true
	}
	for _, mount := range c.VolumeMounts {
		if !there[mount.Name] {
			t.Errorf("%s: no volume %s for %s", name, mount.Name, mount.MountPath)
		}
	}
}

func probed(t *testing.T, name string, c corev1.Container) {
	t.Helper()
	for _, probe := range []*corev1.Probe{c.StartupProbe, c.ReadinessProbe, c.LivenessProbe} {
		if probe == nil {
			continue
		}
		var port string
		if probe.HTTPGet != nil {
			port = probe.HTTPGet.Port.StrVal
		} else {
			port = probe.TCPSocket.Port.StrVal
		}
		if !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == port }) {
			t.Errorf("%s: a probe asks port %q, which is none of it", name, port)
		}
	}
	if c.ReadinessProbe == nil || c.LivenessProbe == nil {
		t.Errorf("%s: nobody asks whether it is well", name)
	}
}

// TestSluiceKnowsItsSettings: each variable is one of "sluice serve", and the
// addresses name services that are there.
func TestSluiceKnowsItsSettings(t *testing.T) {
	help := exec.Command("go", "run", "./cmd/sluice", "serve", "--help")
	help.Dir = "../.."
	text, err := help.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	m := read(t)
	hosts := regexp.MustCompile(`@(?:[a-z]+-\d\.)?([a-z-]+):\d+`)
	for _, e := range m.sets["sluice"].Spec.Template.Spec.Containers[0].Env {
		if strings.HasPrefix(e.Name, "SLUICE_") && !strings.Contains(strings.Join(strings.Fields(string(text)), " "), "($"+e.Name+")") {
			t.Errorf("sluice serve has no %s", e.Name)
		}
		for _, host := range hosts.FindAllStringSubmatch(e.Value, -1) {
			if m.services[host[1]] == nil {
				t.Errorf("%s: no service %s", e.Name, host[1])
			}
		}
	}
}

// TestNATSReadsItsFile: and writes to disk before it answers.
func TestNATSReadsItsFile(t *testing.T) {
	t.Setenv("POD_NAME", "nats-0")
	t.Setenv("NATS_PASSWORD", "n0")
	options, err := server.ProcessConfigFile(path.Join(folder, "nats.conf"))
	if err != nil {
		t.Fatal(err)
	}
	if !options.SyncAlways || options.ServerName != "nats-0" || options.Cluster.Password != "n0" || options.Cluster.Name == "" {
		t.Errorf("read as %+v", options.Cluster)
	}
	for _, arg := range read(t).sets["nats"].Spec.Template.Spec.Containers[0].Args {
		if routes, found := strings.CutPrefix(arg, "--routes="); found && strings.Count(routes, "nats://route:$(NATS_PASSWORD)@nats-") != 3 {
			t.Errorf("routes are %s", routes)
		}
	}
}

// TestFilesOfClickHouseAreWhole: they are well formed, and their cluster is the
// one that Sluice is told.
func TestFilesOfClickHouseAreWhole(t *testing.T) {
	for _, name := range []string{"clickhouse.xml", "keeper.xml"} {
		for d := xml.NewDecoder(strings.NewReader(string(content(t, name)))); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	var c struct {
		Servers struct {
			Sluice struct {
				Shards []struct {
					Internal bool `xml:"internal_replication"`
					Replicas []struct {
						Host string `xml:"host"`
					} `xml:"replica"`
				} `xml:"shard"`
			} `xml:"sluice"`
		} `xml:"remote_servers"`
	}
	if err := xml.Unmarshal(content(t, "clickhouse.xml"), &c); err != nil {
		t.Fatal(err)
	}
	if shards := c.Servers.Sluice.Shards; len(shards) != 1 || !shards[0].Internal || len(shards[0].Replicas) != 3 {
		t.Errorf("the cluster is %+v", shards)
	}
}
