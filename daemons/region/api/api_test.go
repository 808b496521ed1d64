package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/daemons/region/controller"
	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestEveryRefusalHasItsStatusAndASentence(t *testing.T) {
	w := newWorld(t).withHost(t)
	web := w.create(t)
	for name, c := range map[string]struct {
		call
		status int
		code   string
	}{
		"no token":                    {call{path: "/v1/servers"}, 401, "unauthenticated"},
		"a wrong token":               {call{path: "/v1/servers", as: "thief"}, 401, "unauthenticated"},
		"no token, unknown path":      {call{path: "/v2"}, 401, "unauthenticated"},
		"no role":                     {call{path: "/v1/servers", as: "nobody"}, 403, "forbidden"},
		"no role, networks":           {call{path: "/v1/networks", as: "nobody"}, 403, "forbidden"},
		"a reader creates":            {call{method: "POST", path: "/v1/servers", as: "reader", body: createBody}, 403, "forbidden"},
		"a reader deletes":            {call{method: "DELETE", path: "/v1/servers/web", as: "reader"}, 403, "forbidden"},
		"a reader stops":              {call{method: "POST", path: "/v1/servers/web/action", as: "reader", body: `{"verb":"stop"}`}, 403, "forbidden"},
		"a reader makes a network":    {call{method: "POST", path: "/v1/networks", as: "reader", body: `{"name":"n","cidr":"10.1.0.0/24"}`}, 403, "forbidden"},
		"a reader reserves":           {call{method: "PUT", path: "/v1/networks/default/reservations/r", as: "reader"}, 403, "forbidden"},
		"another project's server":    {call{path: "/v1/servers/" + web.ServerID, as: "other"}, 404, "not_found"},
		"another project's delete":    {call{method: "DELETE", path: "/v1/servers/" + web.ServerID, as: "other"}, 404, "not_found"},
		"another project's task":      {call{path: "/v1/tasks/" + web.ID, as: "other"}, 404, "not_found"},
		"an unknown server":           {call{path: "/v1/servers/x", as: "member"}, 404, "not_found"},
		"an unknown task":             {call{path: "/v1/tasks/x", as: "member"}, 404, "not_found"},
		"an unknown image":            {call{method: "POST", path: "/v1/servers", as: "member", body: strings.NewReplacer("app:1", "missing:1", "web", "web2").Replace(createBody)}, 404, "not_found"},
		"an unknown network":          {call{path: "/v1/networks/x", as: "member"}, 404, "not_found"},
		"an unknown path":             {call{path: "/v1/flavors", as: "member"}, 404, "not_found"},
		"an unknown path of a server": {call{path: "/v1/servers/web/x/y", as: "member"}, 404, "not_found"},
		"the root":                    {call{path: "/", as: "member"}, 404, "not_found"},
		"a method nobody serves":      {call{method: "PATCH", path: "/v1/servers/web", as: "member"}, 404, "not_found"},
		"a name that is taken":        {call{method: "POST", path: "/v1/servers", as: "member", body: createBody}, 409, "conflict"},
		"a network name taken":        {call{method: "POST", path: "/v1/networks", as: "member", body: `{"name":"default","cidr":"10.1.0.0/24"}`}, 409, "conflict"},
		"a network in use":            {call{method: "DELETE", path: "/v1/networks/default", as: "member"}, 409, "conflict"},
		"a body that is too large":    {call{method: "POST", path: "/v1/servers", as: "member", body: `{"name":"` + strings.Repeat("x", 1<<20) + `"}`}, 413, "too_large"},
		"a body that is not JSON":     {call{method: "POST", path: "/v1/servers", as: "member", body: `{`}, 400, "invalid"},
		"no body":                     {call{method: "POST", path: "/v1/servers", as: "member"}, 400, "invalid"},
		"an unknown field":            {call{method: "POST", path: "/v1/servers", as: "member", body: `{"nmae":"web"}`}, 400, "invalid"},
		"no containers":               {call{method: "POST", path: "/v1/servers", as: "member", body: `{"name":"web3"}`}, 400, "invalid"},
		"a limit that is no number":   {call{path: "/v1/servers?limit=x", as: "member"}, 400, "invalid"},
		"a range that is none":        {call{method: "POST", path: "/v1/networks", as: "member", body: `{"name":"n","cidr":"10.0.0.1/33"}`}, 400, "invalid"},
		"too large for any host":      {call{method: "POST", path: "/v1/servers", as: "member", body: `{"name":"big","spec":{"resources":{"memory":"900Gi"},"containers":[{"name":"app","image":"app:1"}]}}`}, 409, "no_capacity"},
		"hosts for a member":          {call{path: "/v1/hosts", as: "member"}, 403, "forbidden"},
		"a cordon by a member":        {call{method: "POST", path: "/v1/hosts/host-1/cordon", as: "member"}, 403, "forbidden"},
		"a prefetch by a member":      {call{method: "POST", path: "/v1/images/prefetch", as: "member", body: `{"image":"app:1"}`}, 403, "forbidden"},
		"a prefetch of nothing":       {call{method: "POST", path: "/v1/images/prefetch", as: "admin", body: `{"image":"missing:1"}`}, 404, "not_found"},
		"a prefetch to nowhere":       {call{method: "POST", path: "/v1/images/prefetch", as: "admin", body: `{"image":"app:1","hosts":["x"]}`}, 404, "not_found"},
		"a prefetch of what":          {call{method: "POST", path: "/v1/images/prefetch", as: "admin", body: `{"imag":"app:1"}`}, 400, "invalid"},
		"a forecast by a reader":      {call{method: "POST", path: "/v1/servers/forecast", as: "reader", body: `{"spec":{"containers":[{"name":"app","image":"app:1"}]}}`}, 403, "forbidden"},
		"a forecast of what":          {call{method: "POST", path: "/v1/servers/forecast", as: "member", body: `{"specs":{}}`}, 400, "invalid"},
		"a forecast of no image":      {call{method: "POST", path: "/v1/servers/forecast", as: "member", body: `{"spec":{"containers":[{"name":"app","image":"missing:1"}]}}`}, 404, "not_found"},
		"a forecast without end":      {call{method: "POST", path: "/v1/servers/forecast", as: "member", body: `{"limit":10001,"spec":{"containers":[{"name":"app","image":"app:1"}]}}`}, 400, "invalid"},
		"a cordon of nothing":         {call{method: "POST", path: "/v1/hosts/x/cordon", as: "admin"}, 404, "not_found"},
		"a report without the key":    {call{method: "PUT", path: "/v1/hosts/host-1", as: "admin", body: hostBody}, 401, "unauthenticated"},
		"a report with a wrong key":   {call{method: "PUT", path: "/v1/hosts/host-1", body: hostBody, header: map[string]string{"X-Moset-Key": hostKey + "x"}}, 401, "unauthenticated"},
		"a report of another host":    {call{method: "PUT", path: "/v1/hosts/host-2", body: hostBody, header: map[string]string{"X-Moset-Key": hostKey}}, 400, "invalid"},
		"the key is no token":         {call{path: "/v1/hosts", header: map[string]string{"X-Moset-Key": hostKey}}, 401, "unauthenticated"},
	} {
		t.Run(name, func(t *testing.T) {
			a := w.do(t, c.call)
			assert.Equal(t, c.status, a.status, a.body)
			assert.Equal(t, c.code, a.err.Code)
			assert.NotEmpty(t, a.err.Message)
			assert.Regexp(t, "^req-[0-9a-f]{32}$", a.header.Get("X-Openstack-Request-Id"))
			if c.status != http.StatusUnauthorized { // package authn answers those
				assert.Equal(t, a.header.Get("X-Openstack-Request-Id"), a.err.RequestID)
			}
			assert.NotContains(t, a.body, "token-")
		})
	}
}

// create makes the server web over HTTP and waits for it.
func (w world) create(t *testing.T) set.Task {
	t.Helper()
	c := w.client("member")
	task, err := c.Create(t.Context(), set.CreateRequest{Name: "web", Spec: set.Spec{Containers: []set.Container{{Name: "app", Image: "app:1"}}}})
	require.NoError(t, err)
	task, err = set.Wait(t.Context(), c, task.ID, nil)
	require.NoError(t, err)
	require.Equal(t, set.TaskDone, task.State, "%+v", task.Fault)
	return task
}

func TestServerLivesAndDiesOverHTTP(t *testing.T) {
	w := newWorld(t).withHost(t)
	task := w.create(t)
	c := w.client("member")
	s, err := c.Get(t.Context(), "web")
	require.NoError(t, err)
	assert.Equal(t, set.StateRunning, s.Status())
	assert.Equal(t, "u1", s.UserID)
	assert.Equal(t, "p1", s.ProjectID)
	assert.Regexp(t, "^req-[0-9a-f]{32}$", task.RequestID)
	require.NotEmpty(t, w.host.Images.Requests())
	assert.Equal(t, "token-member", w.host.Images.Requests()[0].Token.Reveal(), "the creator's token pulls")

	for _, do := range []func() (set.Task, error){
		func() (set.Task, error) { return c.Act(t.Context(), "web", set.Action{Verb: set.VerbStop}) },
		func() (set.Task, error) { return c.Act(t.Context(), "web", set.Action{Verb: set.VerbStart}) },
		func() (set.Task, error) { return c.Act(t.Context(), "web", set.Action{Verb: set.VerbSync}) },
		func() (set.Task, error) { return c.Delete(t.Context(), "web", set.DeleteOptions{}) },
	} {
		task, err := do()
		require.NoError(t, err)
		task, err = set.Wait(t.Context(), c, task.ID, nil)
		require.NoError(t, err)
		require.Equal(t, set.TaskDone, task.State, "%+v", task.Fault)
	}
	assert.Empty(t, w.host.Left(s.ID))
	_, err = c.Get(t.Context(), "web")
	assert.ErrorIs(t, err, set.ErrNotFound)
}

func TestAForecastOverHTTP(t *testing.T) {
	w := newWorld(t).withHost(t)
	var f controller.Forecast
	a := w.do(t, call{method: "POST", path: "/v1/servers/forecast", as: "member", body: `{"limit":2,"spec":{"containers":[{"name":"app","image":"app:1"}]}}`})
	require.Equal(t, http.StatusOK, a.status, a.body)
	require.NoError(t, json.Unmarshal([]byte(a.body), &f))
	assert.Equal(t, controller.Forecast{Fit: 2, Limited: true, Hosts: 1}, f)
}

func TestRegionOverHTTPKeepsTheContractOfControllers(t *testing.T) {
	settest.TestController(t, func(t *testing.T) settest.ControllerFixture {
		w := newWorld(t).withHost(t)
		return w.fixture()
	})
}

func TestTheAPIKeepsTheContractOfBatchesAndServices(t *testing.T) {
	small := func(t *testing.T) settest.ControllerFixture {
		w := newWorld(t)
		w.report(t, strings.Replace(hostBody, "100000", strconv.Itoa(500*settest.BatchRoom), 1))
		return w.fixture()
	}
	settest.TestBatches(t, small)
	settest.TestServices(t, small)
}

func TestIdentityHeadersOfClientsAreIgnored(t *testing.T) {
	w := newWorld(t).withHost(t)
	spoof := map[string]string{"X-Project-Id": "p3", "X-User-Id": "u4", "X-Roles": "admin", "X-Identity-Status": "Confirmed", "X-Is-Admin-Project": "True"}
	assert.Equal(t, http.StatusForbidden, w.do(t, call{path: "/v1/hosts", as: "member", header: spoof}).status)
	assert.Equal(t, http.StatusUnauthorized, w.do(t, call{path: "/v1/hosts", header: spoof}).status)
	spoof["X-Openstack-Request-Id"] = "req-mine"
	a := w.do(t, call{path: "/v1/servers", as: "member", header: spoof})
	assert.Equal(t, http.StatusOK, a.status)
	assert.NotEqual(t, "req-mine", a.header.Get("X-Openstack-Request-Id"))
}

func TestNoTokenAndNoKeyIsInTheLog(t *testing.T) {
	w := newWorld(t).withHost(t)
	w.create(t)
	w.do(t, call{path: "/v1/servers", as: "thief"})
	w.do(t, call{path: "/v1/servers", header: map[string]string{"Authorization": "Bearer token-bearer"}})
	w.host.FailNext("Engine.Stop", 1, set.ErrUnavailable)
	w.do(t, call{method: "DELETE", path: "/v1/servers/web", as: "member"})
	assert.Contains(t, w.log.String(), "path=/v1/servers")
	assert.NotContains(t, w.log.String(), "token-")
	assert.NotContains(t, w.log.String(), hostKey)
}

func TestAdminSeesAndCordonsHosts(t *testing.T) {
	w := newWorld(t).withHost(t)
	a := w.do(t, call{path: "/v1/hosts", as: "admin"})
	require.Equal(t, http.StatusOK, a.status)
	assert.Contains(t, a.body, `"name":"host-1"`)
	a = w.do(t, call{method: "POST", path: "/v1/hosts/host-1/cordon", as: "admin"})
	require.Equal(t, http.StatusOK, a.status)
	assert.Contains(t, a.body, `"cordoned":true`)
	a = w.do(t, call{method: "POST", path: "/v1/servers", as: "member", body: createBody})
	assert.Equal(t, "no_capacity", a.err.Code)
	a = w.do(t, call{method: "POST", path: "/v1/hosts/host-1/uncordon", as: "admin"})
	require.Equal(t, http.StatusOK, a.status)
	assert.NotContains(t, a.body, `"cordoned"`)
}

func TestNetworksAndReservations(t *testing.T) {
	w := newWorld(t)
	for _, step := range []struct {
		call
		status int
		says   string
	}{
		{call{method: "POST", path: "/v1/networks", as: "member", body: `{"name":"net","cidr":"10.1.0.0/24"}`}, 201, `"gateway":"10.1.0.1"`},
		{call{path: "/v1/networks", as: "reader"}, 200, `"size":253`},
		{call{method: "PUT", path: "/v1/networks/net/reservations/router", as: "member"}, 200, `"prefix":"10.1.0.2/24"`},
		{call{method: "PUT", path: "/v1/networks/net/reservations/router", as: "member"}, 200, `"prefix":"10.1.0.2/24"`},
		{call{path: "/v1/networks/net/reservations", as: "reader"}, 200, `"name":"router"`},
		{call{path: "/v1/networks/net", as: "reader"}, 200, `"in_use":1`},
		{call{path: "/v1/networks/net", as: "other"}, 404, "not_found"},
		{call{method: "DELETE", path: "/v1/networks/net", as: "member"}, 409, "1 addresses of network net are in use"},
		{call{method: "DELETE", path: "/v1/networks/net/reservations/router", as: "member"}, 204, ""},
		{call{method: "DELETE", path: "/v1/networks/net", as: "member"}, 204, ""},
		{call{path: "/v1/networks/net", as: "member"}, 404, "not_found"},
	} {
		a := w.do(t, step.call)
		require.Equal(t, step.status, a.status, "%s %s: %s", step.method, step.path, a.body)
		assert.Contains(t, a.body, step.says)
	}
}

func TestHealthNeedsNoToken(t *testing.T) {
	assert.Equal(t, http.StatusNoContent, newWorld(t).do(t, call{path: "/healthz"}).status)
}
