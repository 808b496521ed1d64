package setapi_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a handler until the test ends and returns how to reach it.
func serve(t testing.TB, h http.Handler) setapi.ClientConfig {
	t.Helper()
	server := httptest.NewServer(h)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	return setapi.ClientConfig{URL: server.URL, HTTP: &http.Client{Transport: transport}}
}

// remoteAgent puts HTTP between a test and an Agent.
func remoteAgent(t testing.TB, a set.Agent) *setapi.AgentClient {
	return setapi.NewAgentClient(serve(t, setapi.AgentHandler(a)))
}

func remoteController(t testing.TB, c set.Controller) *setapi.ControllerClient {
	return setapi.NewControllerClient(serve(t, setapi.ControllerHandler(func(*http.Request) (set.Controller, error) { return c, nil })))
}

func TestAgentOverHTTPKeepsTheContract(t *testing.T) {
	settest.TestAgent(t, func(t *testing.T) settest.AgentFixture {
		f := settest.NewFakes()
		return settest.AgentFixture{Agent: remoteAgent(t, settest.NewManager(t, f)), Host: f}
	})
}

func TestControllerOverHTTPKeepsTheContract(t *testing.T) {
	settest.TestController(t, func(t *testing.T) settest.ControllerFixture {
		f := settest.NewRegion(t)
		f.Mine, f.Theirs, f.ReadOnly = remoteController(t, f.Mine), remoteController(t, f.Theirs), remoteController(t, f.ReadOnly)
		return f
	})
}

func TestBothOverHTTPKeepTheContract(t *testing.T) {
	settest.TestController(t, func(t *testing.T) settest.ControllerFixture {
		f := settest.NewFakes()
		c := settest.NewController(remoteAgent(t, settest.NewManager(t, f)))
		t.Cleanup(func() { require.NoError(t, c.Close()) })
		return settest.ControllerFixture{Mine: remoteController(t, c.For("project-1", false)), Theirs: remoteController(t, c.For("project-2", false)),
			Image: "project/app:1", Host: f}
	})
}
