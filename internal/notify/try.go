package notify

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-hq/sluice/event"
)

// rotation is how long the derived secret of before signs beside the new one.
const rotation = 24 * time.Hour

// try sends a message once.
func (s *Sender) try(ctx context.Context, m message, id string) outcome {
	began := s.Now()
	body, err := m.body()
	if err != nil {
		return outcome{why: err.Error()}
	}
	ctx, stop := context.WithTimeout(ctx, cmp.Or(s.Timeout, 15*time.Second))
	defer stop()
	r, err := s.request(ctx, m.hook, id, body)
	if err != nil {
		return outcome{why: reason(err)}
	}
	answer, err := s.Doors.client(r.URL.Scheme).Do(r)
	took := s.Now().Sub(began)
	if err != nil {
		return outcome{why: reason(err), took: took}
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10) // what it says is not for us; a short answer keeps the connection
	_ = answer.Body.Close()
	o := judge(answer, s.Now())
	o.took = took
	return o
}

// request makes the request of one try.
func (s *Sender) request(ctx context.Context, h Hook, id string, body []byte) (*http.Request, error) {
	target, header, err := s.sealed(h, id, body)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("addressing the receiver: %w", err)
	}
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Sluice")
	return r, nil
}

// sealed returns where a message goes, and the headers that prove whose it is.
func (s *Sender) sealed(h Hook, id string, body []byte) (target string, header http.Header, err error) {
	header = http.Header{}
	switch h.format() {
	case Slack:
		target, err = s.secret(h.Secret)
		if err == nil {
			var faults event.Invalids
			checkURL("secret "+h.Secret, target, &faults)
			err = faults.Err()
		}
	case Grafana:
		var token string
		token, err = s.bound(h)
		target = strings.TrimSuffix(h.URL, "/") + "/api/annotations"
		header.Set("Authorization", "Bearer "+token)
	case Standard:
		var secrets []Secret
		if secrets, err = s.secrets(h); err == nil {
			signed(header, id, s.Now(), body, secrets)
		}
		target = h.URL
	}
	return target, header, err
}

// secret returns the newest secret of a name.
func (s *Sender) secret(name string) (string, error) {
	texts, err := s.Secrets(name)
	if err != nil {
		return "", err
	}
	return texts[0], nil
}

// secrets returns those that sign: all that are kept under the webhook's name,
// so that a receiver can change over from one to the next, or the derived one,
// for a day with the one before.
func (s *Sender) secrets(h Hook) ([]Secret, error) {
	if h.Secret == "" {
		return s.derived(h)
	}
	texts, err := s.Secrets(h.Secret)
	if err != nil {
		return nil, err
	}
	var list []Secret
	for _, text := range texts {
		secret, err := ParseSecret(text)
		if err != nil {
			return nil, fmt.Errorf("reading secret %s: %w", h.Secret, err)
		}
		list = append(list, secret)
	}
	return list, nil
}

func (s *Sender) derived(h Hook) (list []Secret, err error) {
	versions := []int{h.version()}
	if h.Rotated != nil && s.Now().Before(h.Rotated.At.Add(rotation)) {
		versions = append(versions, h.Rotated.From)
	}
	for _, v := range versions {
		secret, err := derived(s.Key, h.Key, h.Made, v)
		if err != nil {
			return nil, err
		}
		list = append(list, secret)
	}
	return list, nil
}

// judge says what an answer means, as the specification has it: 2xx is success,
// and nothing else is.
func judge(answer *http.Response, now time.Time) outcome {
	o := outcome{status: answer.StatusCode, why: "it answered " + answer.Status, rest: retryAfter(answer.Header.Get("Retry-After"), now)}
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		o.why = ""
	case code >= 300 && code < 400:
		o.why += ", which is not followed; write the address that it redirects to into the webhook"
	case code == http.StatusGone:
		o.gone = true
	}
	return o
}

// retryAfter reads seconds or a date; 0 when there is neither.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return time.Duration(min(seconds, int(mostRest.Seconds()))) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// reason is an error as the delivery log shows it: without the address, which
// can be a secret.
func reason(err error) string {
	var at *url.Error
	if errors.As(err, &at) {
		err = at.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "it did not answer in time"
	}
	return cut(err.Error(), 200)
}
