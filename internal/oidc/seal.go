package oidc

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// keySize is that of AES-256.
const keySize = 32

// What is sealed for; a seal for one is worthless for the other.
const (
	forAttempt = "sluice sign-in attempt"
	forHint    = "sluice sign-out hint"
)

// attempt is what has to be the same when the browser comes back.
type attempt struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"` // of PKCE
	Made     time.Time `json:"made"`
	Wish
}

// Patience is how long a person may take at the issuer.
const Patience = 10 * time.Minute

var errSeal = errors.New("this was not sealed here")

// seal makes a text of a value that nobody can read, change or make.
func (p *Party) seal(purpose string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("sealing: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(p.aead.Seal(nil, nil, b, []byte(purpose))), nil
}

func (p *Party) open(purpose, sealed string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return errSeal
	}
	if b, err = p.aead.Open(nil, nil, b, []byte(purpose)); err != nil {
		return errSeal
	}
	return json.Unmarshal(b, v)
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making the key of sign-ins: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
