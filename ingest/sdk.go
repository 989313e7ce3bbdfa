package ingest

import "maps"

// SDK names the program that evaluated a flag, as an exposure may say it:
// {"name": "openfeature-go", "version": "1.4.2"}.
type SDK struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// Attributes in which an exposure keeps its SDK: the names that OpenTelemetry
// has for them, so that what comes by telemetry says it likewise. An
// environment's choice of attributes does not touch them; they say nothing of
// a unit.
const (
	SDKName    = "telemetry.sdk.name"
	SDKVersion = "telemetry.sdk.version"
)

// signed returns the attributes of the present exposure with its SDK.
func (w *wire) signed() map[string]string {
	if w.sdk.Name == "" {
		return w.attributes
	}
	out := maps.Clone(w.attributes)
	if out == nil {
		out = make(map[string]string, 2)
	}
	out[SDKName] = w.sdk.Name
	if w.sdk.Version != "" {
		out[SDKVersion] = w.sdk.Version
	}
	return out
}

func (r *reader) sdk() (s SDK) {
	r.pairs("sdk", maxUnits, maxKey, func(k string, v []byte) {
		switch k {
		case "name":
			s.Name = r.intern(v)
		case "version":
			s.Version = r.intern(v)
		default:
			r.fault("sdk."+k, v, "is not a field of an SDK", `send {"name": "openfeature-go", "version": "1.4.2"}`)
		}
	})
	return s
}
