package authn_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/moset/moset/pkg/authn"
)

// A handler behind the guard knows who calls. The Verifier here is a function; keystone.NewVerifier asks a
// real Keystone.
func Example() {
	verifier := authn.VerifierFunc(func(_ context.Context, token string) (*authn.Identity, error) {
		if token != "secret" {
			return nil, authn.ErrInvalidToken
		}
		return &authn.Identity{UserName: "demo", ProjectID: "p1", ProjectName: "demo", Roles: []string{"member"}, ExpiresAt: time.Now().Add(time.Hour)}, nil
	})
	guard := authn.Middleware(authn.MiddlewareConfig{Verifier: authn.NewCached(verifier, authn.CacheConfig{})})
	server := httptest.NewServer(guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, _ := authn.FromContext(r.Context())
		fmt.Println(id.UserName, "of", id.ProjectName, "may write:", authn.Policy{}.Allow(id, authn.Write) == nil)
	})))
	defer server.Close()

	for _, token := range []string{"secret", "wrong"} {
		client := &http.Client{Transport: &authn.Transport{Source: authn.StaticToken(token)}}
		resp, err := client.Get(server.URL)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(resp.StatusCode)
		_ = resp.Body.Close()
	}
	// Output:
	// demo of demo may write: true
	// 200
	// 401
}
