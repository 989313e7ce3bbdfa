package main

import (
	"net/http/httptest"
	"testing"

	"github.com/sluice-hq/sluice/sdk/sdktest"
)

// A team tests its service without a server: what a user gets is decided here.
func TestCheckout(t *testing.T) {
	for arm, way := range map[string]string{"on": "one step", "off": "three steps"} {
		kit := sdktest.New(t)
		kit.Enrol(checkoutFlag, map[string]any{"on": true, "off": false}, arm)
		w := httptest.NewRecorder()
		newShop(kit.Client(), kit.Provider).ServeHTTP(w, httptest.NewRequest("POST", "/checkout?user=u-1&country=DE", nil))
		if got, want := w.Body.String(), `{"way":"`+way+`","reason":"SPLIT"}`+"\n"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		kit.WantExposure(checkoutFlag, "u-1", arm)
		kit.WantTracked("purchase", "u-1", price)
	}
}
