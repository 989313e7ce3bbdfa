package notify

import (
	"fmt"
	"net/url"
	"strings"
)

// bound returns the token that is kept for the host of a webhook. The operator
// writes for whom a token is, because the address stands in a document that
// administrators of this service change: they could have the token sent to
// themselves.
func (s *Sender) bound(h Hook) (string, error) {
	texts, err := s.Secrets(h.Secret)
	if err != nil {
		return "", err
	}
	want := origin(h.URL)
	var others []string
	for _, text := range texts {
		address, token, ok := strings.Cut(text, " ")
		host := origin(address)
		switch {
		case !ok || host == "":
			return "", fmt.Errorf("secret %s does not say whom its token is for: write the address before it, such as %s TOKEN", h.Secret, want)
		case host == want:
			return strings.TrimSpace(token), nil
		}
		others = append(others, host)
	}
	return "", fmt.Errorf("secret %s is for %s, and is not sent to %s", h.Secret, strings.Join(others, ", "), want)
}

// origin returns scheme and host of an address as they are compared, "" where it
// has none.
func origin(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	for of, port := range map[string]string{"https": ":443", "http": ":80"} {
		if scheme == of {
			host = strings.TrimSuffix(host, port)
		}
	}
	return scheme + "://" + host
}
