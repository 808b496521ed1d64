// Command guard puts Keystone tokens before a handler of one's own: who calls with a valid token is greeted
// by name, everybody else gets 401, and 503 while Keystone is down. Its own credentials, of a user with the
// role service or admin, come from OS_* or OS_CLOUD.
//
//	guard 127.0.0.1:8080 &
//	curl -H "X-Auth-Token: $(openstack token issue -f value -c id)" http://127.0.0.1:8080/
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/moset/moset/pkg/authn"
	"github.com/moset/moset/pkg/authn/keystone"
)

func main() {
	if err := serve(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "guard:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: guard ADDRESS")
	}
	credentials, err := keystone.FromEnv("")
	if err != nil {
		return err
	}
	session, err := keystone.Connect(ctx, credentials)
	if err != nil {
		return err
	}
	guard := authn.Middleware(authn.MiddlewareConfig{
		Verifier:    authn.NewCached(keystone.NewVerifier(session, 0), authn.CacheConfig{TTL: 30 * time.Second}),
		KeystoneURL: session.AuthURL(),
	})
	server := &http.Server{Addr: args[0], Handler: guard(http.HandlerFunc(greet)), ReadHeaderTimeout: 5 * time.Second}
	return server.ListenAndServe()
}

// greet asks the policy first: a reader's token is enough to read.
func greet(w http.ResponseWriter, r *http.Request) {
	id, _ := authn.FromContext(r.Context()) // the guard let nobody else through
	if err := (authn.Policy{}).Allow(id, authn.Read); err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	fmt.Fprintf(w, "hello %s of project %s, your roles are %v\n", id.UserName, id.ProjectName, id.Roles)
}
