package server

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/sluice-hq/sluice/internal/access"
)

// healthz says that the process answers.
func (s *server) healthz(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok", "version": s.Version})
}

// readyz names every dependency, and is 503 while one is not well. The reason,
// which may name hosts and folders, is for those who may read.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) error {
	code, reasons := http.StatusOK, map[string]string{}
	reader := may(r.Context(), access.Read, access.AnyEnvironment) == nil
	for name, err := range s.dependencies(r.Context()) {
		reasons[name] = "ok"
		if err != nil {
			reasons[name], code = "not well; ask with a token for the reason", http.StatusServiceUnavailable
			if reader {
				reasons[name] = err.Error()
			}
		}
	}
	return writeJSON(w, code, reasons)
}

func (s *server) dependencies(ctx context.Context) map[string]error {
	all := map[string]error{"log": s.Projection.Err()}
	if s.Ready != nil {
		for name, err := range s.Ready(ctx) {
			all[name] = err
		}
	}
	return all
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
