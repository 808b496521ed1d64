package hostnettest_test

import (
	"context"
	"fmt"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
)

// A Fake is a bridge that several owners may share; here it loses its rules, as a restarted switch does.
func ExampleFake() {
	ctx := context.Background()
	fake := hostnettest.NewFake()
	host, err := hostnet.New(ctx, hostnet.Config{Owner: 1}, fake.Parts(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer host.Close()
	fake.Restart()
	fmt.Println((<-host.Events()).Kind)
	// Output: switch restarted
}
