package access

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-hq/sluice/event"
)

var update = flag.Bool("update", false, "rewrite the recorded events; existing logs hold the old ones")

// recorded is what is kept of an event for good.
type recorded struct {
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Data    json.RawMessage `json:"data"`
}

const recordedFile = "testdata/events.json"

// story has every event that the room writes, with every field.
func story(t *testing.T) *town {
	w := newTown(t)
	soon := at.Add(time.Hour)
	_, shop := mint(Token{Class: ServerSDK, Name: "shop", Environment: "production", Expires: &soon}, 1)
	_, page := mint(Token{Class: ClientSDK, Name: "page", Environment: "production", Origins: []string{"https://a.example", "https://b.example"}}, 2)
	_, next := mint(Token{Class: ClientSDK}, 3)
	_, ana := mint(Token{Class: Account, Role: Admin, Name: "ana"}, 4)
	_, ci := mint(Token{Class: Account, Name: "ci", Kind: OfService, Grants: []Grant{
		{Role: Editor, Environments: []string{"staging"}, Keys: []string{"checkout."}}, {Role: Viewer},
	}}, 5)
	w.do(w.issue(shop))
	w.do(w.issue(page))
	w.do(w.Rotate(Rotate{ID: event.New(), At: at, Actor: "test", TokenID: page.ID, Token: next, Overlap: time.Hour}))
	w.do(w.Revoke(Revoke{ID: event.New(), At: at, Actor: "test", TokenID: shop.ID}))
	w.do(w.declare(Person{Key: "bo", Name: "Bo Ek"}))
	w.do(w.declare(Team{Key: "payments", Description: "Money", Members: []string{"bo"}, Contact: "#payments"}))
	w.do(w.declare(Person{Key: "ana", Name: "Ana Lind", Email: "ana@example.com", Teams: []string{"payments"}}))
	w.do(w.issue(ana))
	w.do(w.issue(ci))
	_, in := enter(Identity{Issuer: issuer, Subject: "u-1", Email: "ana@example.com"}, at, 6)
	w.do(w.SignIn(in))
	_, on := enter(Identity{Issuer: issuer, Subject: "u-1"}, at.Add(time.Minute), 7)
	on.Replaces = in.Token.ID
	w.do(w.SignIn(on))
	w.do(w.Remove(Remove{ID: event.New(), At: at, Actor: "test", Kind: OfPerson, Key: "ana"}))
	w.do(w.Remove(Remove{ID: event.New(), At: at, Actor: "test", Kind: OfTeam, Key: "payments"}))
	return w
}

func (w *town) history() []event.Recorded {
	w.t.Helper()
	var all []event.Recorded
	for r, err := range w.log.Read(w.t.Context(), event.Filter{}, 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// TestEvents_asRecorded: what is written today is what was written before.
func TestEvents_asRecorded(t *testing.T) {
	var got []recorded
	for _, r := range story(t).history() {
		got = append(got, recorded{r.Type, r.Subject, r.Data})
	}
	if *update {
		b, err := json.MarshalIndent(got, "", "  ")
		if err == nil {
			err = os.WriteFile(recordedFile, append(b, '\n'), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(recordedFile)
	if err != nil {
		t.Fatal(err)
	}
	var want []recorded
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	compact := cmp.Transformer("JSON", func(m json.RawMessage) (v any) { _ = json.Unmarshal(m, &v); return v })
	if d := cmp.Diff(want, got, compact); d != "" {
		t.Errorf("events differ from those that logs hold (-recorded +written):\n%s", d)
	}
}

// TestEvents_beforeGrants: a token of the first form means what it meant, and
// leaves a state with the bytes that its seals have.
func TestEvents_beforeGrants(t *testing.T) {
	text, token := mint(Token{Class: Account, Role: Approver, Name: "ana", Environment: "staging"}, 1)
	hash, err := json.Marshal(token.Hash)
	if err != nil {
		t.Fatal(err)
	}
	data := `{"id":"` + token.ID + `","hash":` + string(hash) + `,"class":"sla","role":"approver","name":"ana","environment":"staging"}`
	s := NewState()
	old := event.Recorded{Event: event.Event{Type: IssuedType, Subject: "principal.ana", Data: json.RawMessage(data)}, Seq: 1}
	if err := s.Apply(old); err != nil {
		t.Fatal(err)
	}
	p, ok := s.Find(text, at)
	if !ok || p.Name != "person:ana" || !p.May(Decide, "staging", "a") || p.May(Decide, "production", "a") || p.May(Manage, "staging", "a") {
		t.Errorf("got %+v, %v", p, ok)
	}
	b, err := json.Marshal(s.State())
	if want := `{"tokens":[` + data + `],"last":{"principal.ana":1}}`; err != nil || string(b) != want {
		t.Errorf("the state is %s, %v\nand was %s", b, err, want)
	}
}
