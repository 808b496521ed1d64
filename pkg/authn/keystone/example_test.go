package keystone_test

import (
	"context"
	"fmt"

	"github.com/moset/moset/pkg/authn/authntest"
	"github.com/moset/moset/pkg/authn/keystone"
)

// The token of a caller is verified with the service's own session.
func Example() {
	box, err := authntest.New(authntest.Config{Users: []authntest.User{
		{Name: "demo", Password: "secret", Projects: map[string][]string{"demo": {"member"}}},
		{Name: "moset", Password: "secret", Projects: map[string][]string{"service": {"service"}}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	url, stop := box.Start()
	defer stop()
	ctx := context.Background()
	session, err := keystone.Connect(ctx, keystone.Credentials{AuthURL: url, UserName: "moset", Password: "secret", ProjectName: "service"})
	if err != nil {
		fmt.Println(err)
		return
	}
	caller, err := keystone.Issue(ctx, keystone.Credentials{AuthURL: url, UserName: "demo", Password: "secret", ProjectName: "demo"})
	if err != nil {
		fmt.Println(err)
		return
	}
	id, err := keystone.NewVerifier(session, 0).Verify(ctx, caller.Token)
	fmt.Println(id.UserName, id.ProjectName, id.Roles, err)
	// Output: demo demo [member] <nil>
}
