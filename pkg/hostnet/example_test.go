package hostnet_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/moset/moset/pkg/hostnet"
	"github.com/moset/moset/pkg/hostnet/hostnettest"
)

// A port is attached, found right the second time, and taken away. The switch is a fake here; hostnet.Open
// takes the real one.
func Example() {
	ctx := context.Background()
	fake := hostnettest.NewFake()
	fake.AddNetNS("/run/netns/web")
	host, err := hostnet.New(ctx, hostnet.Config{Owner: 1, OwnerName: "example"}, fake.Parts(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer host.Close()
	web := hostnet.PortSpec{
		ID:          "web/0",
		NetNS:       hostnet.NetNS{Path: "/run/netns/web"},
		MAC:         net.HardwareAddr{0xfa, 0x16, 0x3e, 0, 0, 5},
		Addrs:       []netip.Prefix{netip.MustParsePrefix("10.0.0.5/24")},
		Tenant:      12,
		ToContainer: hostnet.Limit{Rate: 100 * hostnet.Mbit},
	}
	for range 2 {
		statuses, err := host.Attach(ctx, web)
		fmt.Println(statuses[0].ID(), statuses[0].Ready, err)
	}
	other := web
	other.ID = "copy/0"
	_, err = host.Attach(ctx, other)
	fmt.Println(err)
	fmt.Println(host.Detach(ctx, "web/0"), len(fake.Rows()))
	// Output:
	// web/0 true <nil>
	// web/0 true <nil>
	// attach copy/0: conflict: MAC fa:16:3e:00:00:05 is taken in tenant 12 by port web/0 of example; choose another
	// <nil> 0
}
