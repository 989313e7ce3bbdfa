package main

import (
	"encoding/json"
	"net/http"

	"github.com/open-feature/go-sdk/openfeature"

	"github.com/sluice-hq/sluice/sdk"
)

// checkoutFlag says how many steps the checkout has.
const checkoutFlag = "shop.checkout"

// shop serves the checkout.
type shop struct {
	flags    openfeature.IClient
	provider *sdk.Provider // of the flags, for /healthz
}

func newShop(flags openfeature.IClient, provider *sdk.Provider) http.Handler {
	s := &shop{flags: flags, provider: provider}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /checkout", s.checkout)
	mux.HandleFunc("GET /healthz", s.health)
	return mux
}

// receipt is what a buyer gets.
type receipt struct {
	Way    string `json:"way"`
	Reason string `json:"reason"` // why, as OpenFeature has it
}

const price = 19.99

// checkout sells one thing to a user. Neither line that speaks of flags waits for
// anything, or can fail.
func (s *shop) checkout(w http.ResponseWriter, r *http.Request) {
	who := openfeature.NewEvaluationContext(r.URL.Query().Get("user"), map[string]any{"country": r.URL.Query().Get("country")})
	d, _ := s.flags.BooleanValueDetails(r.Context(), checkoutFlag, false, who) // an error has a reason, and the value is usable
	sold := receipt{Way: "three steps", Reason: string(d.Reason)}
	if d.Value {
		sold.Way = "one step"
	}
	s.flags.Track(r.Context(), "purchase", who, openfeature.NewTrackingEventDetails(price))
	answer(w, sold)
}

// health shows what the flags are worth, and what became of events.
func (s *shop) health(w http.ResponseWriter, _ *http.Request) { answer(w, s.provider.Stats()) }

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who hangs up hears nothing
}
