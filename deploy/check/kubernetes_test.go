package check

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
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

// TestPodsMayDoLittle: each pod keeps the Pod Security Standard "restricted", which
// its namespace enforces, and has no token for Kubernetes, which it never asks.
func TestPodsMayDoLittle(t *testing.T) {
	m := read(t)
	if level := m.namespaces["sluice"].Labels["pod-security.kubernetes.io/enforce"]; level != "restricted" {
		t.Errorf("the namespace enforces %q", level)
	}
	for name, set := range m.sets {
		pod := set.Spec.Template.Spec
		account := m.accounts[pod.ServiceAccountName]
		if no := pod.AutomountServiceAccountToken; (no == nil || *no) && (account == nil || account.AutomountServiceAccountToken == nil || *account.AutomountServiceAccountToken) {
			t.Errorf("%s: the pod gets a token", name)
		}
		if c := pod.SecurityContext; c == nil || c.RunAsNonRoot == nil || !*c.RunAsNonRoot || c.RunAsUser == nil || *c.RunAsUser == 0 || c.SeccompProfile == nil || c.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault {
			t.Errorf("%s: the pod runs as %+v", name, c)
		}
		if pod.HostNetwork || pod.HostPID || pod.HostIPC {
			t.Errorf("%s: the pod sees its host", name)
		}
		for _, v := range pod.Volumes {
			if v.ConfigMap == nil && v.Secret == nil && v.EmptyDir == nil {
				t.Errorf("%s: the volume %s is of no kind that is allowed", name, v.Name)
			}
		}
		for _, c := range pod.Containers {
			s := c.SecurityContext
			if s == nil || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || s.Capabilities == nil || !slices.Equal(s.Capabilities.Drop, []corev1.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 || s.Privileged != nil {
				t.Errorf("%s: %s may do %+v", name, c.Name, s)
			}
			if c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: nobody says how much memory %s takes", name, c.Name)
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
	known := settings(t)
	m := read(t)
	hosts := regexp.MustCompile(`@(?:[a-z]+-\d\.)?([a-z-]+):\d+`)
	for _, e := range m.sets["sluice"].Spec.Template.Spec.Containers[0].Env {
		if strings.HasPrefix(e.Name, "SLUICE_") && !known[e.Name] {
			t.Errorf("sluice serve has no %s", e.Name)
		}
		for _, host := range hosts.FindAllStringSubmatch(e.Value, -1) {
			if m.services[host[1]] == nil {
				t.Errorf("%s: no service %s", e.Name, host[1])
			}
		}
	}
}

// help is asked for once: the program has to be built for it.
var help = sync.OnceValues(func() ([]byte, error) {
	ask := exec.Command("go", "run", "./cmd/sluice", "serve", "--help")
	ask.Dir = "../.."
	return ask.CombinedOutput()
})

// settings are the variables that "sluice serve" knows, as its help lists them.
func settings(t *testing.T) map[string]bool {
	t.Helper()
	text, err := help()
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	known := map[string]bool{}
	for _, m := range regexp.MustCompile(`\(\$(SLUICE_\w+)\)`).FindAllSubmatch(bytes.Join(bytes.Fields(text), []byte(" ")), -1) {
		known[string(m[1])] = true
	}
	return known
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
