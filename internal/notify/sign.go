package notify

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// The headers and the form of secrets and signatures are those of Standard
// Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks,
// spec/standard-webhooks.md, sections "Signature scheme" and "Webhook headers").
const (
	headerID        = "webhook-id"
	headerTimestamp = "webhook-timestamp"
	headerSignature = "webhook-signature"

	secretPrefix    = "whsec_"
	signaturePrefix = "v1,"
)

// A secret has 24 to 64 bytes, by the same specification.
const (
	leastSecret = 24
	mostSecret  = 64
)

// Secret is a key that deliveries are signed with.
type Secret []byte

// ParseSecret reads the text form of a secret. An error never repeats it.
func ParseSecret(text string) (Secret, error) {
	raw, ok := strings.CutPrefix(strings.TrimSpace(text), secretPrefix)
	b, err := base64.StdEncoding.DecodeString(raw)
	if !ok || err != nil || len(b) < leastSecret || len(b) > mostSecret {
		return nil, event.Invalid{Path: "secret", Why: "is not a secret of Standard Webhooks",
			Fix: fmt.Sprintf("make one: echo %s$(openssl rand -base64 32)", secretPrefix)}
	}
	return b, nil
}

// String returns the text form.
func (s Secret) String() string { return secretPrefix + base64.StdEncoding.EncodeToString(s) }

// derived returns the secret of a webhook that names none. It is made of the
// installation's key, so that neither the log nor an export ever holds it; made
// names the webhook's first event, so that one that was removed and made again
// has another.
func derived(installation []byte, key string, made uint64, version int) (Secret, error) {
	info := strings.Join([]string{"sluice webhook", key, strconv.FormatUint(made, 10), strconv.Itoa(version)}, "\x00")
	s, err := hkdf.Key(sha256.New, installation, nil, info, 32)
	if err != nil {
		return nil, fmt.Errorf("deriving the secret of webhook %s: %w", key, err)
	}
	return s, nil
}

// Sign returns the signature of a delivery: HMAC-SHA256 over its id, the time
// of the attempt and the body, joined by dots.
func (s Secret) Sign(id string, at time.Time, body []byte) string {
	mac := hmac.New(sha256.New, s)
	fmt.Fprintf(mac, "%s.%d.", id, at.Unix()) // a hash never fails
	mac.Write(body)
	return signaturePrefix + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signed sets the headers of a delivery. More than one secret is what a
// rotation looks like: each signs.
func signed(h http.Header, id string, at time.Time, body []byte, secrets []Secret) {
	list := make([]string, len(secrets))
	for i, s := range secrets {
		list[i] = s.Sign(id, at, body)
	}
	h.Set(headerID, id)
	h.Set(headerTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(headerSignature, strings.Join(list, " "))
}

// tolerance is how far the clocks of sender and receiver may be apart.
const tolerance = 5 * time.Minute

// Verify is what a receiver does: it checks the time and the signatures of a
// delivery, of which one must be right, and returns its id.
func (s Secret) Verify(h http.Header, body []byte, now time.Time) (id string, err error) {
	id = h.Get(headerID)
	seconds, err := strconv.ParseInt(h.Get(headerTimestamp), 10, 64)
	if id == "" || err != nil {
		return "", event.Invalid{Path: headerTimestamp, Value: h.Get(headerTimestamp), Why: "is no time, or there is no " + headerID, Fix: "it is not a delivery of Standard Webhooks"}
	}
	at := time.Unix(seconds, 0)
	if d := now.Sub(at).Abs(); d > tolerance {
		return "", event.Invalid{Path: headerTimestamp, Value: at.UTC().Format(time.RFC3339), Why: "is too far from now: somebody may send an old delivery again", Fix: "compare the clocks"}
	}
	want := []byte(s.Sign(id, at, body))
	for given := range strings.FieldsSeq(h.Get(headerSignature)) {
		if hmac.Equal([]byte(given), want) {
			return id, nil
		}
	}
	return "", event.Invalid{Path: headerSignature, Why: "is not of this secret", Fix: "ask for the secret of the webhook: sluice webhooks secret KEY"}
}
