package access

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

func TestSnapshot(t *testing.T) {
	soon := at.Add(time.Hour)
	_, shop := mint(Token{Class: ServerSDK, Name: "shop", Environment: "production", Expires: &soon}, 1)
	_, ana := mint(Token{Class: Account, Role: Admin, Name: "ana"}, 2)
	s, log := house(t, shop, ana)
	e, expect, err := s.Revoke(Revoke{ID: event.New(), At: at, Actor: "test", TokenID: shop.ID})
	if err == nil {
		_, err = log.Append(t.Context(), e, expect)
	}
	if err != nil {
		t.Fatal(err)
	}
	var history []event.Recorded
	for r, err := range log.Read(t.Context(), event.Filter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, r)
	}
	eventtest.Fold(t, NewState, history)
	if err := NewState().Restore(json.RawMessage(`[]`)); err == nil {
		t.Error("a list is restored")
	}
}
