package server

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/internal/access"
)

// healthz says that the process answers.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": s.Version})
}

// flagPlane is the entry of /readyz that stands for all that flags are served
// from, and the name under which a load balancer asks for it alone.
const flagPlane = "flags"

// readyz names every dependency, and is 503 while one is not well. With
// ?for=flags it is about what flags are served from alone: a replica without a
// warehouse answers evaluations as well as any. The reason, which may name
// hosts and folders, is for those who may read.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	var all map[string]error
	switch what := r.URL.Query().Get("for"); what {
	case flagPlane:
		all = s.flagsReady()
	case "":
		all = s.allReady(r.Context())
	default:
		return event.Invalid{Path: "for", Value: what, Why: "is nothing that can be ready", Fix: "write flags, or leave it out"}
	}
	return writeJSON(w, readiness(all), s.reasons(r.Context(), all))
}

// allReady says how every dependency is, by its name.
func (s *server) allReady(ctx context.Context) map[string]error {
	all := s.flagsReady()
	if s.Ready != nil {
		maps.Copy(all, s.Ready(ctx))
	}
	return all
}

// flagsReady says how that is which flags are served from: the log is folded
// without a fault and up to its end, and no other replica has it otherwise.
func (s *server) flagsReady() map[string]error {
	all := map[string]error{"log": s.Projection.Err(), "lists of units": s.sets.whole()}
	if s.Replica != nil {
		maps.Copy(all, s.Replica.Ready())
	}
	var worst error
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if worst == nil {
			worst = all[name]
		}
	}
	all[flagPlane] = worst
	return all
}

func readiness(all map[string]error) int {
	for _, err := range all {
		if err != nil {
			return http.StatusServiceUnavailable
		}
	}
	return http.StatusOK
}

func (s *server) reasons(ctx context.Context, all map[string]error) map[string]string {
	reader := may(ctx, access.Read, access.AnyEnvironment) == nil
	out := map[string]string{}
	for name, err := range all {
		switch {
		case err == nil:
			out[name] = "ok"
		case reader:
			out[name] = err.Error()
		default:
			out[name] = "not well; ask with a token for the reason"
		}
	}
	return out
}

func writeJSON(w http.ResponseWriter, code int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(append(b, '\n')) // the client is gone if this fails
	return nil
}
