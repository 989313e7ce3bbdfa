package main

import (
	"errors"
	"net"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/sdk"
	"github.com/sluice-hq/sluice/sdk/sdktest"
)

// A shop that cannot be served says so, and leaves nothing behind that runs.
func TestAddressTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	config := sdk.Config{URL: "http://" + taken.Addr().String(), Token: "sls_test", Wait: time.Millisecond, Report: -1}
	if err := run(t.Context(), taken.Addr().String(), config); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

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
