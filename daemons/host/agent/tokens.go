package agent

import (
	"context"
	"sync"

	"github.com/moset/moset/pkg/authn/keystone"
)

// OwnTokens is a TokenSource that asks Keystone when the first token is needed: a host starts, and watches
// its servers, while Keystone is down.
type OwnTokens struct {
	Credentials keystone.Credentials

	mu      sync.Mutex
	session *keystone.Session
}

// Token implements TokenSource.
func (o *OwnTokens) Token(ctx context.Context) (string, error) {
	session, err := o.connect(ctx)
	if err != nil {
		return "", err
	}
	return session.Token(ctx)
}

func (o *OwnTokens) connect(ctx context.Context) (*keystone.Session, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.session != nil {
		return o.session, nil
	}
	var err error
	o.session, err = keystone.Connect(ctx, o.Credentials)
	return o.session, err
}
