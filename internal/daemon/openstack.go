package daemon

import (
	"context"

	"github.com/moset/moset/pkg/authn/keystone"
)

// OpenStack is the cloud that a daemon works in.
type OpenStack struct {
	keystone.Credentials
	Session *keystone.Session
	Glance  string // endpoint
}

// ConnectOpenStack logs in as every OpenStack client does, by the OS_* variables or the cloud of that name of
// clouds.yaml, and finds Glance in the catalog.
func ConnectOpenStack(ctx context.Context, cloud string) (OpenStack, error) {
	creds, err := keystone.FromEnv(cloud)
	if err != nil {
		return OpenStack{}, err
	}
	session, err := keystone.Connect(ctx, creds)
	if err != nil {
		return OpenStack{}, err
	}
	glance, err := session.Endpoint("image")
	return OpenStack{creds, session, glance}, err
}
