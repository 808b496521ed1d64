package set_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

// A Manager brings a server up and tells each step of the way. A host passes the Docker engine, its image
// puller, its network and a FileJournal; here fakes stand in for them.
func Example() {
	host := settest.NewFakes()
	m, err := set.NewManager(set.ManagerConfig{Engine: host.Engine, Images: host.Images, Network: host.Network, Journal: host.Journal})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := m.Apply(ctx, settest.Assignment("s1")); err != nil {
		fmt.Println(err)
		return
	}
	for o, err := range m.Watch(ctx) {
		if err != nil || o.State == set.StateFailed {
			fmt.Println(o.Fault, err)
			return
		}
		if o.State == set.StateRunning {
			for _, c := range o.Containers {
				fmt.Println(c.Role, c.Name, c.State)
			}
			return
		}
	}
	// Output:
	// infra infra running
	// sidecar proxy running
	// app app running
}

func ExampleSpec_Validate() {
	var s set.Spec
	err := json.Unmarshal([]byte(`{
		"containers": [{"name": "app", "image": "shop/app:1", "mounts": [{"volume": "data", "path": "/data"}]}],
		"resources": {"cpu": "500m", "memory": "64Mi"}}`), &s)
	fmt.Println(err)
	fmt.Println(s.Validate())
	// Output:
	// <nil>
	// invalid request: containers[0].mounts[0].volume: no volume is called "data"; declared are none
}

func ExampleStartOrder() {
	waves, err := set.StartOrder([]set.Container{
		{Name: "app", StartAfter: []string{"proxy", "cache"}},
		{Name: "cache"},
		{Name: "proxy"},
	})
	for i, wave := range waves {
		for _, c := range wave {
			fmt.Println(i+1, c.Name)
		}
	}
	fmt.Println(err)
	// Output:
	// 1 cache
	// 1 proxy
	// 2 app
	// <nil>
}

func ExampleParseBytes() {
	n, err := set.ParseBytes("1.5Gi")
	fmt.Println(int64(n), err)
	// Output: 1610612736 <nil>
}
