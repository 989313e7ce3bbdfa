package notify_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-hq/sluice/internal/notify"
)

// The vector of Standard Webhooks' own library:
// github.com/standard-webhooks/standard-webhooks, libraries/go/webhook_test.go,
// TestWebhookSign, and the same in the libraries of its other languages.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

var vectorTime = time.Unix(1614265330, 0)

func secretOf(t testing.TB, text string) notify.Secret {
	t.Helper()
	s, err := notify.ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSign_publishedVector(t *testing.T) {
	s := secretOf(t, vectorSecret)
	if got := s.Sign(vectorID, vectorTime, []byte(vectorBody)); got != vectorSignature {
		t.Errorf("got %s, want %s", got, vectorSignature)
	}
	if got := s.String(); got != vectorSecret {
		t.Errorf("the secret reads %s", got)
	}
}

// TestVerify follows the cases of the same library's TestWebhook, table
// testCases.
func TestVerify(t *testing.T) {
	const other = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	s := secretOf(t, vectorSecret)
	for name, c := range map[string]struct {
		header, value string // instead
		late          time.Duration
		want          string // in the refusal; empty: it is taken
	}{
		"as it was signed":    {},
		"no id":               {header: "webhook-id", want: "is no time, or there is no webhook-id"},
		"no timestamp":        {header: "webhook-timestamp", want: "is no time"},
		"no signature":        {header: "webhook-signature", want: "is not of this secret"},
		"another signature":   {header: "webhook-signature", value: other, want: "is not of this secret"},
		"half a signature":    {header: "webhook-signature", value: "v1,", want: "is not of this secret"},
		"old":                 {late: 5*time.Minute + time.Second, want: "too far from now"},
		"of the future":       {late: -5*time.Minute - time.Second, want: "too far from now"},
		"one of several":      {header: "webhook-signature", value: other + " v2," + other[3:] + " " + vectorSignature + " " + other},
		"another time":        {header: "webhook-timestamp", value: "1614265331", want: "is not of this secret"},
		"a time of no number": {header: "webhook-timestamp", value: "yesterday", want: "is no time"},
	} {
		h := http.Header{"Webhook-Id": {vectorID}, "Webhook-Timestamp": {"1614265330"}, "Webhook-Signature": {vectorSignature}}
		if c.header != "" {
			h.Set(c.header, c.value)
		}
		id, err := s.Verify(h, []byte(vectorBody), vectorTime.Add(c.late))
		switch {
		case c.want == "" && (err != nil || id != vectorID):
			t.Errorf("%s: got %q, %v", name, id, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// A secret has 24 to 64 bytes. A refusal never repeats it.
func TestParseSecret_refuses(t *testing.T) {
	for _, text := range []string{"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_!!!!", "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
		"whsec_" + strings.Repeat("QUFB", 22)} {
		_, err := notify.ParseSecret(text)
		if err == nil {
			t.Errorf("%q is taken", text)
		} else if raw := strings.TrimPrefix(text, "whsec_"); raw != "" && strings.Contains(err.Error(), raw) {
			t.Errorf("the refusal repeats the secret: %v", err)
		}
	}
}
