package authntest

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
)

// secret is a password as it is kept.
type secret struct {
	Salt []byte `json:"salt"`
	Hash []byte `json:"hash"`
}

const rounds = 20_000

func newSecret(text string) (secret, error) {
	s := secret{Salt: make([]byte, 16)}
	_, _ = rand.Read(s.Salt) // never fails
	var err error
	s.Hash, err = pbkdf2.Key(sha256.New, text, s.Salt, rounds, 32)
	return s, err
}

func (s secret) matches(text string) bool {
	h, err := pbkdf2.Key(sha256.New, text, s.Salt, rounds, 32)
	return err == nil && subtle.ConstantTimeCompare(h, s.Hash) == 1
}

func newID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return hex.EncodeToString(b)
}

func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

func tokenHash(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}
