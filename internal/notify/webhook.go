package notify

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/sluice-hq/sluice/event"
)

// Webhook is the document of kind Webhook: who is told of what, and how.
type Webhook struct {
	Key           string   `json:"key" yaml:"key"`
	Description   string   `json:"description,omitempty" yaml:"description,omitempty"`
	Owner         string   `json:"owner,omitempty" yaml:"owner,omitempty"` // a person or team
	Format        Format   `json:"format,omitempty" yaml:"format,omitempty"`
	URL           string   `json:"url,omitempty" yaml:"url,omitempty"`                     // of slack: none, it is the secret
	Secret        string   `json:"secret,omitempty" yaml:"secret,omitempty"`               // name of a secret that the operator keeps, never the secret; standard: empty for one that this installation derives
	SecretVersion int      `json:"secretVersion,omitempty" yaml:"secretVersion,omitempty"` // of a derived secret, from 1; raising it makes another
	Events        []string `json:"events" yaml:"events"`                                   // types, or families such as "flag.*"
	Environments  []string `json:"environments,omitempty" yaml:"environments,omitempty"`   // none: all
	Tags          []string `json:"tags,omitempty" yaml:"tags,omitempty"`                   // of the flag, any of them; none: whatever it has
}

// Format is the shape of what is sent.
type Format string

// The formats. The empty one is Standard.
const (
	Standard Format = "standard" // JSON with the headers and the signature of Standard Webhooks
	Slack    Format = "slack"    // {"text": …}, as Slack's incoming webhooks and those that copy them take it
	Grafana  Format = "grafana"  // an annotation, for POST /api/annotations
)

func (w Webhook) format() Format {
	if w.Format == "" {
		return Standard
	}
	return w.Format
}

// version counts the secrets that were derived.
func (w Webhook) version() int { return max(w.SecretVersion, 1) }

// mostKey bounds a key: the key of its outbox has to hold it.
const mostKey = 64

// Validate says all that is wrong with the document, as event.Invalids. told are
// the types of events that can be told.
func (w Webhook) Validate(told []string) error {
	var faults event.Invalids
	if why := event.CheckKey(w.Key); why != "" {
		faults.Add("key", w.Key, why, "write a key such as release")
	} else if len(w.Key) > mostKey {
		faults.Add("key", w.Key, fmt.Sprintf("is longer than %d characters", mostKey), "shorten it")
	}
	w.checkTarget(&faults)
	w.checkSecret(&faults)
	if len(w.Events) == 0 {
		faults.Add("events", nil, "is missing", "say what it is told of, such as [decision.*, incident.*]")
	}
	for i, p := range w.Events {
		checkPattern(fmt.Sprintf("events[%d]", i), p, told, &faults)
	}
	for i, e := range w.Environments {
		if why := event.CheckKey(e); why != "" {
			faults.Add(fmt.Sprintf("environments[%d]", i), e, why, "write an environment such as production")
		}
	}
	for i, tag := range w.Tags {
		if strings.TrimSpace(tag) == "" {
			faults.Add(fmt.Sprintf("tags[%d]", i), nil, "is empty", "leave it out")
		}
	}
	return faults.Err()
}

func (w Webhook) checkTarget(faults *event.Invalids) {
	switch w.format() {
	case Standard, Grafana:
		if w.URL == "" {
			faults.Add("url", nil, "is missing", "write where to send it, such as https://hooks.example.com/sluice")
			return
		}
		checkURL("url", w.URL, faults)
		checkQuery("url", w.URL, faults)
	case Slack:
		if w.URL != "" {
			faults.Add("url", nil, "is a secret of its own in this format: whoever knows it may post", "put the address into a secret, and name that: secret: slack-release")
		}
	default:
		faults.Add("format", w.Format, "is not a format", "write standard, slack or grafana")
	}
}

// checkURL refuses what cannot be sent to. Where the name leads to is looked
// at when it is dialled, and not before: it may lead elsewhere by then.
func checkURL(path, text string, faults *event.Invalids) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		faults.Add(path, nil, "is not an address", "write one such as https://hooks.example.com/sluice")
	case u.User != nil:
		faults.Add(path, nil, "holds a password", "everybody who may read webhooks could read it; leave it out and check the signature instead")
	case u.Fragment != "":
		faults.Add(path, nil, "has a fragment, which is never sent", "leave out what stands behind the #")
	}
}

// secretWords are what the names of parameters are called that let whoever has
// the address in.
var secretWords = []string{"token", "key", "apikey", "secret", "sig", "signature", "password", "passwd", "pwd", "pass", "auth", "authorization", "credential", "credentials", "jwt", "bearer", "code"}

// checkQuery refuses an address that holds a secret: a document is kept for ever,
// for everybody who may read.
func checkQuery(path, text string, faults *event.Invalids) {
	u, err := url.Parse(text)
	if err != nil {
		return // said already
	}
	for _, name := range slices.Sorted(maps.Keys(u.Query())) {
		words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r < 'a' || r > 'z' })
		if slices.ContainsFunc(words, func(word string) bool { return slices.Contains(secretWords, word) }) {
			faults.Add(path, nil, "has the parameter "+name+", which looks like a secret that everybody who may read webhooks could read",
				"leave it out and end that secret: the receiver checks the signature instead; an address that is a secret as a whole goes with format: slack")
		}
	}
}

func (w Webhook) checkSecret(faults *event.Invalids) {
	if why := event.CheckKey(w.Secret); w.Secret != "" && why != "" {
		faults.Add("secret", nil, "is the name of a secret, not the secret: it "+why, "write a name such as release-hook, and give the operator the secret to keep")
	}
	if strings.HasPrefix(w.Secret, secretPrefix) {
		faults.Add("secret", nil, "is a secret, not the name of one", "this document is kept for everybody who may read: end that secret, and write the name of a new one")
	}
	if w.Secret == "" && w.format() != Standard {
		fix := "name the secret that holds the address to post to: secret: slack-release"
		if w.Format == Grafana {
			fix = "name the secret that holds a service account token: secret: grafana-token"
		}
		faults.Add("secret", nil, "is missing", fix)
	}
	switch {
	case w.SecretVersion < 0:
		faults.Add("secretVersion", w.SecretVersion, "is not a version", "count from 1")
	case w.SecretVersion > 0 && (w.Secret != "" || w.format() != Standard):
		faults.Add("secretVersion", w.SecretVersion, "is of secrets that this installation derives", "leave it out: a secret of your own is changed where it is kept")
	}
}

// Wants reports whether the webhook asks for what is about a.
func (w Webhook) Wants(a About) bool {
	if slices.Contains(a.To, w.Key) {
		return true // by a plan: whatever else the webhook listens to
	}
	if w.format() == Slack && a.Effect && w.listens([]string{decisionType}) {
		return false // people are told of the decision; machines take both
	}
	return w.listens(a.Types) && w.within(a.Environments) && w.tagged(a.Tags)
}

// decisionType is the type of the event whose effects need no words of their
// own.
const decisionType = "decision.made"

func (w Webhook) listens(types []string) bool {
	return slices.ContainsFunc(w.Events, func(p string) bool {
		return slices.ContainsFunc(types, func(t string) bool { return matches(p, t) })
	})
}

// within takes what is about all environments as about each of them.
func (w Webhook) within(environments []string) bool {
	if len(w.Environments) == 0 || len(environments) == 0 {
		return true
	}
	return slices.ContainsFunc(environments, func(e string) bool { return e == "" || slices.Contains(w.Environments, e) })
}

func (w Webhook) tagged(tags []string) bool {
	return len(w.Tags) == 0 || slices.ContainsFunc(w.Tags, func(tag string) bool { return slices.Contains(tags, tag) })
}
