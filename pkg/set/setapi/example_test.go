package setapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

// A program creates a server over HTTP and waits until it runs. The region that serves it here is a small
// one in memory over a host of fakes.
func Example() {
	manager, err := set.NewManager(settest.NewFakes().Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
	region := settest.NewController(manager)
	defer region.Close()
	server := httptest.NewServer(setapi.ControllerHandler(func(r *http.Request) (set.Controller, error) {
		return region.For("project-1", false), nil // a real one asks its middleware for the caller
	}))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()

	ctx := context.Background()
	c := setapi.NewControllerClient(setapi.ClientConfig{URL: server.URL})
	task, err := c.Create(ctx, set.CreateRequest{Name: "web", Spec: set.Spec{Containers: []set.Container{{Name: "app", Image: "shop/app:1"}}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	task, err = set.Wait(ctx, c, task.ID, nil)
	fmt.Println(task.Verb, task.ServerName, task.State, err)
	s, err := c.Get(ctx, "web")
	fmt.Println(s.Name, s.Status(), err)
	_, err = c.Get(ctx, "db")
	fmt.Println(errors.Is(err, set.ErrNotFound), err)
	// Output:
	// create web done <nil>
	// web running <nil>
	// true get server db: not found: the project has no server of that id or name
}

// A host serves its Manager, or any other Agent, to the region.
func ExampleAgentHandler() {
	manager, err := set.NewManager(settest.NewFakes().Config())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer manager.Close()
	server := httptest.NewServer(setapi.AgentHandler(manager))
	defer server.Close()
	defer http.DefaultClient.CloseIdleConnections()

	agent := setapi.NewAgentClient(setapi.ClientConfig{URL: server.URL})
	o, err := agent.Remove(context.Background(), set.Removal{ServerID: "s1", Epoch: 1})
	fmt.Println(o.ServerID, o.State, err)
	// Output: s1 deleted <nil>
}
