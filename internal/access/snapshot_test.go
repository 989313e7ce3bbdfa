package access

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/event"
	"github.com/sluice-hq/sluice/event/eventtest"
)

// TestSnapshot goes through every event that the fold knows.
func TestSnapshot(t *testing.T) {
	w := newTown(t)
	soon := at.Add(time.Hour)
	_, shop := mint(Token{Class: ServerSDK, Name: "shop", Environment: "production", Expires: &soon}, 1)
	_, page := mint(Token{Class: ClientSDK, Name: "page", Environment: "production", Origins: []string{"https://a.example", "https://b.example"}}, 2)
	_, next := mint(Token{Class: ClientSDK}, 3)
	_, ana := mint(Token{Class: Account, Role: Admin, Name: "ana"}, 4)
	w.do(w.issue(shop))
	w.do(w.issue(page))
	w.do(w.Rotate(Rotate{ID: event.New(), At: at, Actor: "test", TokenID: page.ID, Token: next, Overlap: time.Hour}))
	w.do(w.Revoke(Revoke{ID: event.New(), At: at, Actor: "test", TokenID: shop.ID}))
	w.do(w.declare(Team{Key: "payments"}))
	w.do(w.declare(Person{Key: "ana", Name: "Ana", Teams: []string{"payments"}}))
	w.do(w.issue(ana))
	w.do(w.Remove(Remove{ID: event.New(), At: at, Actor: "test", Kind: OfPerson, Key: "ana"}))
	w.do(w.Remove(Remove{ID: event.New(), At: at, Actor: "test", Kind: OfTeam, Key: "payments"}))
	var history []event.Recorded
	for r, err := range w.log.Read(t.Context(), event.Filter{}, 0) {
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
