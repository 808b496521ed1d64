package authn

import (
	"context"
	"io"
	"net/http"
)

// TokenSource gives a valid token. Errors: ErrInvalidToken (the credentials are wrong), ErrUnavailable.
type TokenSource interface {
	Token(ctx context.Context) (string, error)
}

// Refresher is an ability of TokenSources, found by assertion: throwing away a token that was refused.
type Refresher interface {
	Refresh(ctx context.Context, refused string) (string, error)
}

// StaticToken is a TokenSource of one token.
type StaticToken string

// Token implements TokenSource.
func (s StaticToken) Token(context.Context) (string, error) { return string(s), nil }

// Transport puts X-Auth-Token on every request. When the answer is 401, the Source is a Refresher and the
// body can be sent again, it tries once more with a new token. A redirect to another host gets no token.
type Transport struct {
	Source TokenSource
	Base   http.RoundTripper // nil means http.DefaultTransport
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if elsewhere(r) {
		return t.base().RoundTrip(r)
	}
	token, err := t.Source.Token(r.Context())
	if err != nil {
		return nil, closing(r, err)
	}
	resp, err := t.send(r, token, r.Body)
	refresher, ok := t.Source.(Refresher)
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !ok {
		return resp, err
	}
	body, hasBody := r.Body, r.Body != nil && r.Body != http.NoBody
	if hasBody && r.GetBody == nil {
		return resp, nil
	}
	fresh, err := refresher.Refresh(r.Context(), token)
	if err != nil {
		return resp, nil //nolint:nilerr // the first answer stands
	}
	if hasBody {
		if body, err = r.GetBody(); err != nil {
			return resp, nil //nolint:nilerr // the first answer stands
		}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
	return t.send(r, fresh, body)
}

func (t *Transport) send(r *http.Request, token string, body io.ReadCloser) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.Body = body
	out.Header.Set("X-Auth-Token", token)
	return t.base().RoundTrip(out)
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

// elsewhere says whether a redirect leads to another host than the one that was called: the token is not for it.
func elsewhere(r *http.Request) bool {
	for r.Response != nil && r.Response.Request != nil {
		if r.Response.Request.URL.Host != r.URL.Host {
			return true
		}
		r = r.Response.Request
	}
	return false
}

// closing keeps the promise of RoundTrip to close the body.
func closing(r *http.Request, err error) error {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	return err
}
