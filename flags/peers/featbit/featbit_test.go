package featbit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-hq/sluice/flags"
	"github.com/sluice-hq/sluice/flags/peers"
	"github.com/sluice-hq/sluice/flags/peers/peerstest"
)

// user is a user as FeatBit's SDK for Go makes one: the name is the key unless
// it is said.
func user(key string, attributes ...string) *flags.Context {
	c := &flags.Context{TargetingKey: key, Attributes: map[string]any{"name": key}}
	for i := 0; i < len(attributes); i += 2 {
		c.Attributes[attributes[i]] = attributes[i+1]
	}
	return c
}

// The data that the SDK is tested with, and what its tests (fbclient_test.go,
// evaluation_test.go) expect of it.
func TestPublishedCases(t *testing.T) {
	var doc json.RawMessage
	peerstest.Read(t, "../testdata/featbit.json", &doc)
	brought, err := Import(doc, peers.Options{Environment: "production", Owner: "growth"})
	if err != nil {
		t.Fatal(err)
	}
	set, tally := peerstest.Compile(brought), peerstest.NewTally(t)
	phone, email := user("18555358000", "name", "test-user-5"), user("test-user-7@featbit.com", "name", "test-user-7")
	for _, c := range []struct {
		flag string
		user *flags.Context
		want string
	}{
		{"ff-test-bool", user("test-user-1", "country", "us"), `true`}, {"ff-test-bool", user("test-user-2", "country", "fr"), `true`},
		{"ff-test-bool", user("test-user-3", "country", "cn"), `false`}, {"ff-test-bool", user("test-user-4", "country", "uk"), `true`},
		{"ff-test-number", user("test-user-1", "country", "us"), `1`}, {"ff-test-number", user("test-user-2", "country", "fr"), `33`},
		{"ff-test-number", user("test-user-3", "country", "cn"), `86`}, {"ff-test-number", user("test-user-4", "country", "uk"), `9999`},
		{"ff-test-string", phone, `"phone number"`}, {"ff-test-string", user("0603111111", "name", "test-user-6"), `"phone number"`},
		{"ff-test-string", email, `"email"`}, {"ff-test-string", user("test-user-1"), `"others"`},
		{"ff-test-seg", user("test-user-1"), `"teamA"`}, {"ff-test-seg", user("test-user-2", "major", "math"), `"teamB"`},
		{"ff-test-seg", user("test-user-3", "major", "cs"), `"teamA"`}, {"ff-test-seg", user("test-user-4", "major", "physics"), `"teamB"`},
		{"ff-test-json", user("test-user-1"), `{"code":200,"reason":"you win 100 euros"}`},
		{"ff-test-json", user("test-user-2"), `{"code":404,"reason":"fail to win the lottery"}`},
		{"ff-test-off", user("test-user-1"), `false`},
		{"ff-evaluation-test", user("test-target-user"), `"teamB"`}, {"ff-evaluation-test", user("test-true-user", "graduated", "true"), `"teamC"`},
		{"ff-evaluation-test", user("test-equal-user", "country", "CHN"), `"teamD"`}, {"ff-evaluation-test", user("test-than-user", "salary", "2500"), `"teamE"`},
		{"ff-evaluation-test", user("test-contain-user", "email", "test-contain-user@gmail.com"), `"teamF"`},
		{"ff-evaluation-test", user("test-isoneof-user", "major", "CS"), `"teamG"`}, {"ff-evaluation-test", user("group-admin-user"), `"teamH"`},
		{"ff-evaluation-test", user("test-regex-user", "phone", "18555358000"), `"teamI"`}, {"ff-evaluation-test", user("test-fallthrough-user"), `"teamA"`},
	} {
		peerstest.Numbers(c.user, brought.Numbers)
		r := set.Evaluate(c.flag, c.user)
		tally.Count(c.flag+" for "+c.user.TargetingKey+": "+c.want+", not "+string(r.Value), "", peerstest.Same(r.Value, json.RawMessage(c.want)))
	}
	tally.Compare("testdata/published.txt")
}

const listed = `{"data":{"eventType":%q,"segments":[{"id":"s","included":["in"],"excluded":["out"],"rules":[{"conditions":[{"property":"account","op":"Equal","value":"acme"}]}]}],
	"featureFlags":[{"key":"f","isEnabled":true,"variationType":"boolean","variations":[{"id":"1","value":"true"},{"id":"0","value":"false"}],"disabledVariationId":"0",
	"targetUsers":[{"keyIds":["vip"],"variationId":"1"}],"rules":[{"conditions":[{"property":"User is in segment","value":"[\"s\"]"}],"variations":[{"id":"1","rollout":[0,1]}]}],
	"fallthrough":{"variations":[{"id":"0","rollout":[0,1]}]}}]}}`

// With another attribute for the targeting key, what is listed by keyId still is.
func TestListsByKeyID(t *testing.T) {
	for key, of := range map[string]func(user, account string) *flags.Context{
		"": func(user, account string) *flags.Context {
			return &flags.Context{TargetingKey: user, Attributes: map[string]any{"account": account}}
		},
		"account": func(user, account string) *flags.Context {
			return &flags.Context{TargetingKey: account, Attributes: map[string]any{"keyId": user}}
		},
	} {
		b, err := Import(fmt.Appendf(nil, listed, "full"), peers.Options{Environment: "production", Owner: "growth", Key: key})
		if err != nil {
			t.Fatal(err)
		}
		set := peerstest.Compile(b)
		for who, want := range map[[2]string]string{{"vip", "x"}: "true", {"in", "x"}: "true", {"u", "acme"}: "true", {"out", "acme"}: "false", {"u", "in"}: "false", {"u", "vip"}: "false"} {
			if r := set.Evaluate("f", of(who[0], who[1])); string(r.Value) != want {
				t.Errorf("key %q: %v gets %s, want %s", key, who, r.Value, want)
			}
		}
	}
}

// What has changed alone is no export: all other flags would be missing.
func TestPatchesAreRefused(t *testing.T) {
	_, err := Import(fmt.Appendf(nil, listed, "patch"), peers.Options{Environment: "production"})
	if err == nil || !strings.Contains(err.Error(), `data.eventType "patch" says that these are changes alone`) {
		t.Errorf("got %v", err)
	}
}

func TestArchivedFlagsAreNamed(t *testing.T) {
	b, err := Import([]byte(`{"data":{"featureFlags":[{"key":"old","isArchived":true}]}}`), peers.Options{Environment: "production"})
	if err != nil || len(b.Flags) != 0 || len(b.Notes) != 1 || b.Notes[0].Text != "is archived there, and not carried over: old" {
		t.Errorf("got %+v, %v", b, err)
	}
}
