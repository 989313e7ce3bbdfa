// Package check holds the files of deploy against what they are for: the types
// of Kubernetes, the parser of NATS, the rules of GitHub Actions and the flags
// of Sluice itself. It is a module of its own, so that nobody who uses Sluice
// fetches these.
package check

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

const folder = "../kubernetes"

// manifests are the objects of the folder, by kind and name.
type manifests struct {
	namespaces map[string]*corev1.Namespace
	accounts   map[string]*corev1.ServiceAccount
	services   map[string]*corev1.Service
	sets       map[string]*appsv1.StatefulSet
	budgets    map[string]*policyv1.PodDisruptionBudget
	policies   map[string]*networkingv1.NetworkPolicy
	configs    map[string][]string // files of a generated ConfigMap
}

// kustomization is what of a kustomization.yaml these manifests use.
type kustomization struct {
	APIVersion         string              `json:"apiVersion"`
	Kind               string              `json:"kind"`
	Namespace          string              `json:"namespace"`
	Resources          []string            `json:"resources"`
	Images             []map[string]string `json:"images"`
	ConfigMapGenerator []struct {
		Name  string   `json:"name"`
		Files []string `json:"files"`
	} `json:"configMapGenerator"`
}

// read decodes all that kustomization.yaml names. A member that Kubernetes does
// not have, or one that is written twice, fails.
func read(t *testing.T) manifests {
	t.Helper()
	m := manifests{
		namespaces: map[string]*corev1.Namespace{}, accounts: map[string]*corev1.ServiceAccount{}, services: map[string]*corev1.Service{},
		sets: map[string]*appsv1.StatefulSet{}, budgets: map[string]*policyv1.PodDisruptionBudget{},
		policies: map[string]*networkingv1.NetworkPolicy{}, configs: map[string][]string{},
	}
	var k kustomization
	if err := strict.UnmarshalStrict(content(t, "kustomization.yaml"), &k); err != nil {
		t.Fatal(err)
	}
	for _, config := range k.ConfigMapGenerator {
		for _, name := range config.Files {
			content(t, name)
		}
		m.configs[config.Name] = config.Files
	}
	for _, name := range k.Resources {
		documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content(t, name))))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			m.add(t, name, document)
		}
	}
	return m
}

func content(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// add decodes one document by its kind.
func (m manifests) add(t *testing.T, file string, document []byte) {
	t.Helper()
	var head struct{ APIVersion, Kind string }
	if err := strict.Unmarshal(document, &head); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	switch head.APIVersion + " " + head.Kind {
	case "v1 Namespace":
		keep(t, file, document, m.namespaces)
	case "v1 ServiceAccount":
		keep(t, file, document, m.accounts)
	case "v1 Service":
		keep(t, file, document, m.services)
	case "apps/v1 StatefulSet":
		keep(t, file, document, m.sets)
	case "policy/v1 PodDisruptionBudget":
		keep(t, file, document, m.budgets)
	case "networking.k8s.io/v1 NetworkPolicy":
		keep(t, file, document, m.policies)
	default:
		t.Fatalf("%s: nothing here knows %s %s", file, head.APIVersion, head.Kind)
	}
}

// keep decodes a document strictly and files it under its name.
func keep[T any, P interface {
	*T
	GetName() string
}](t *testing.T, file string, document []byte, into map[string]P) {
	t.Helper()
	var object P = new(T)
	if err := strict.UnmarshalStrict(document, object); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if into[object.GetName()] != nil {
		t.Errorf("%s: %T %s is there twice", file, object, object.GetName())
	}
	into[object.GetName()] = object
}
