package server

import (
	"io"
	"net/http"

	"github.com/sluice-hq/sluice/stats/calculator"
)

// calculation is one command of the calculator: anybody's numbers, the engine's
// formulae.
func calculation(command string) func(*server, http.ResponseWriter, *http.Request) error {
	return func(_ *server, w http.ResponseWriter, r *http.Request) error {
		in, err := io.ReadAll(r.Body)
		if err != nil {
			return err
		}
		code := http.StatusOK
		out, err := calculator.Answer(command, in)
		if err != nil {
			code = http.StatusBadRequest
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = w.Write(out) // the client is gone if this fails
		return nil
	}
}
