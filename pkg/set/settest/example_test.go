package settest_test

import (
	"context"
	"fmt"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func ExampleKnobs_FailNext() {
	host := settest.NewFakes()
	host.FailNext("Network.Detach", 1, set.ErrUnavailable)
	fmt.Println(host.Network.Detach(context.Background(), "s1"))
	fmt.Println(host.Network.Detach(context.Background(), "s1"))
	fmt.Println(host.Calls("Network.Detach"), host.Left("s1"))
	// Output:
	// unavailable
	// <nil>
	// 2 []
}
