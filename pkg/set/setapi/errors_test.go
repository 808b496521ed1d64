package setapi_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/setapi"
	"github.com/moset/moset/pkg/set/settest"
)

// failing is an Agent and a Controller that answer everything with one error.
type failing struct{ err error }

func (f failing) Apply(context.Context, set.Assignment) (set.Observation, error) {
	return set.Observation{}, f.err
}
func (f failing) Observe(context.Context, ...string) ([]set.Observation, error) { return nil, f.err }
func (f failing) Remove(context.Context, set.Removal) (set.Observation, error) {
	return set.Observation{}, f.err
}
func (f failing) Watch(context.Context) iter.Seq2[set.Observation, error] {
	return func(yield func(set.Observation, error) bool) { yield(set.Observation{}, f.err) }
}

type failingController struct{ err error }

func (f failingController) Create(context.Context, set.CreateRequest) (set.Task, error) {
	return set.Task{}, f.err
}
func (f failingController) Get(context.Context, string) (set.Server, error) {
	return set.Server{}, f.err
}
func (f failingController) List(context.Context, set.ListOptions) (set.Page, error) {
	return set.Page{}, f.err
}
func (f failingController) Act(context.Context, string, set.Action) (set.Task, error) {
	return set.Task{}, f.err
}
func (f failingController) Delete(context.Context, string, set.DeleteOptions) (set.Task, error) {
	return set.Task{}, f.err
}

// agentErrors calls every method of an Agent.
func agentErrors(ctx context.Context, a set.Agent) map[string]error {
	errs := map[string]error{}
	_, errs["apply"] = a.Apply(ctx, settest.Assignment("s1"))
	_, errs["observe"] = a.Observe(ctx)
	_, errs["remove"] = a.Remove(ctx, set.Removal{ServerID: "s1", Epoch: 1})
	for _, err := range a.Watch(ctx) {
		errs["watch"] = err
	}
	return errs
}

func controllerErrors(ctx context.Context, c set.Controller) map[string]error {
	errs := map[string]error{}
	_, errs["create"] = c.Create(ctx, set.CreateRequest{Name: "web"})
	_, errs["get"] = c.Get(ctx, "web")
	_, errs["list"] = c.List(ctx, set.ListOptions{})
	_, errs["act"] = c.Act(ctx, "web", set.Action{Verb: set.VerbStop})
	_, errs["delete"] = c.Delete(ctx, "web", set.DeleteOptions{})
	return errs
}

func TestEverySentinelSurvivesThreeHops(t *testing.T) {
	for want, status := range map[error]int{
		set.ErrInvalid: 400, set.ErrUnauthenticated: 401, set.ErrForbidden: 403, set.ErrNotFound: 404, set.ErrConflict: 409,
		set.ErrStaleEpoch: 412, set.ErrNoCapacity: 409, set.ErrUnavailable: 503,
	} {
		t.Run(want.Error(), func(t *testing.T) {
			cause := &set.Error{Op: "do", ID: "s1", Err: fmt.Errorf("%w: a reason", want)}
			got, code := setapi.StatusOf(cause)
			assert.Equal(t, status, got)
			assert.Equal(t, set.Code(cause), code, "bodies and Faults speak the same codes")

			agent := remoteAgent(t, remoteAgent(t, remoteAgent(t, failing{cause})))
			for op, err := range agentErrors(t.Context(), agent) {
				assert.ErrorIs(t, err, want, op)
				assert.EqualError(t, err, cause.Error(), op)
			}
			region := remoteController(t, remoteController(t, remoteController(t, failingController{cause})))
			for op, err := range controllerErrors(t.Context(), region) {
				assert.ErrorIs(t, err, want, op)
				assert.EqualError(t, err, cause.Error(), op)
			}
		})
	}
}

func TestAnErrorWithoutASentinelIsUnavailableToTheCaller(t *testing.T) {
	for op, err := range agentErrors(t.Context(), remoteAgent(t, failing{errors.New("disk on fire")})) {
		assert.ErrorIs(t, err, set.ErrUnavailable, op)
		assert.EqualError(t, err, "disk on fire", op)
	}
}

func TestAPeerThatIsDownIsUnavailableInOneSentence(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	cfg := setapi.ClientConfig{URL: server.URL + "/"}
	for op, err := range agentErrors(t.Context(), setapi.NewAgentClient(cfg)) {
		assert.ErrorIs(t, err, set.ErrUnavailable, op)
		assert.ErrorContains(t, err, server.URL+" does not answer", op)
		assert.NotContains(t, err.Error(), "\n", op)
	}
	for op, err := range controllerErrors(t.Context(), setapi.NewControllerClient(cfg)) {
		assert.ErrorIs(t, err, set.ErrUnavailable, op)
	}
}

func TestACallersOwnEndIsNoOutage(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := setapi.NewControllerClient(setapi.ClientConfig{URL: "http://127.0.0.1:1"}).Get(ctx, "web")
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, set.ErrUnavailable)
}

func TestAnAnswerThatIsNotOursIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   error
	}{
		"a proxy's page":         {502, "<html>", set.ErrUnavailable},
		"a login page":           {200, "<html>", set.ErrUnavailable},
		"a method not known":     {405, "no", set.ErrInvalid},
		"not found without body": {404, "", set.ErrNotFound},
		"an over-large request":  {413, "", set.ErrInvalid},
		"a code not known":       {409, `{"error":{"code":"new_code","message":"m"}}`, set.ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			_, err := setapi.NewControllerClient(cfg).Get(t.Context(), "web")
			require.ErrorIs(t, err, c.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// raw sends a request as a stranger would, and returns status and body.
func raw(t *testing.T, h http.Handler, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

func TestRequestsThatAreNotUnderstoodAreRefused(t *testing.T) {
	host := settest.NewFakes()
	agent := setapi.AgentHandler(settest.NewManager(t, host))
	region := settest.NewRegion(t)
	tenant := setapi.ControllerHandler(func(*http.Request) (set.Controller, error) { return region.Mine, nil })
	large := `{"name":"` + strings.Repeat("x", setapi.MaxBody) + `"}`
	for name, c := range map[string]struct {
		h                          http.Handler
		method, path, body, answer string
		status                     int
	}{
		"malformed create":        {tenant, "POST", "/v1/servers", "{", "invalid", 400},
		"empty create":            {tenant, "POST", "/v1/servers", "", "a JSON object is needed", 400},
		"unknown field":           {tenant, "POST", "/v1/servers", `{"name":"web","privileged":true}`, "privileged", 400},
		"two objects":             {tenant, "POST", "/v1/servers", `{}{}`, "invalid", 400},
		"over-large create":       {tenant, "POST", "/v1/servers", large, "too_large", 413},
		"a quantity that is none": {tenant, "POST", "/v1/servers", `{"name":"web","spec":{"resources":{"memory":"much"}}}`, `\"much\" is not a quantity`, 400},
		"malformed action":        {tenant, "POST", "/v1/servers/web/action", "[]", "invalid", 400},
		"a limit that is none":    {tenant, "GET", "/v1/servers?limit=-1", "", "limit", 400},
		"a label that is none":    {tenant, "GET", "/v1/servers?label=x", "", "name=value", 400},
		"a revision that is none": {tenant, "GET", "/v1/tasks/t?after=x", "", "after", 400},
		"a wrong method":          {tenant, "PATCH", "/v1/servers", "", "Method", 405},
		"malformed assignment":    {agent, "PUT", "/v1/assignments/s1", "{", "invalid", 400},
		"another id in the path":  {agent, "PUT", "/v1/assignments/s1", `{"server_id":"s2"}`, `\"s2\"`, 400},
		"over-large assignment":   {agent, "PUT", "/v1/assignments/s1", large, "too_large", 413},
		"an epoch that is none":   {agent, "DELETE", "/v1/assignments/s1?epoch=new", "", "epoch", 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := raw(t, c.h, c.method, c.path, c.body)
			assert.Equal(t, c.status, status, answer)
			assert.Contains(t, answer, c.answer)
		})
	}
	assert.Zero(t, host.Calls("Journal.Save"))
}

func TestAnAcceptedCreateSaysWhereTheServerIs(t *testing.T) {
	region := settest.NewRegion(t)
	h := setapi.ControllerHandler(func(*http.Request) (set.Controller, error) { return region.Mine, nil })
	body := `{"name":"web","spec":{"containers":[{"name":"app","image":"a:1"}]}}`
	for _, want := range []int{http.StatusAccepted, http.StatusConflict} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/v1/servers", strings.NewReader(body)))
		require.Equal(t, want, w.Code, w.Body)
		if want == http.StatusAccepted {
			s, err := region.Mine.Get(t.Context(), "web")
			require.NoError(t, err)
			assert.Equal(t, "/v1/servers/"+s.ID, w.Header().Get("Location"))
		} else {
			assert.Empty(t, w.Header().Get("Location"))
		}
	}
}

func TestAResolverDecidesWhoMayEnter(t *testing.T) {
	c := setapi.NewControllerClient(serve(t, setapi.ControllerHandler(func(*http.Request) (set.Controller, error) {
		return nil, fmt.Errorf("%w: bring a token", set.ErrUnauthenticated)
	})))
	for op, err := range controllerErrors(t.Context(), c) {
		assert.ErrorIs(t, err, set.ErrUnauthenticated, op)
	}
}

func TestAControllerWithoutTasksAnswersNotFound(t *testing.T) {
	_, err := remoteController(t, failingController{}).Task(t.Context(), "t", 0)
	require.ErrorIs(t, err, set.ErrNotFound)
}
