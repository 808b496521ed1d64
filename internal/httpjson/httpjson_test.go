package httpjson_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/internal/httpjson"
)

func TestReadRefusesWhatIsNotOneJSONObject(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"empty":         {"", httpjson.ErrMalformed},
		"not json":      {"{", httpjson.ErrMalformed},
		"unknown field": {`{"nmae":"x"}`, httpjson.ErrMalformed},
		"trailing":      {`{"name":"x"}{}`, httpjson.ErrMalformed},
		"too large":     {`{"name":"` + strings.Repeat("x", 100) + `"}`, httpjson.ErrTooLarge},
		"good":          {`{"name":"x"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var v struct{ Name string }
			r := httptest.NewRequest("POST", "/", strings.NewReader(c.body))
			err := httpjson.Read(httptest.NewRecorder(), r, 64, &v)
			assert.ErrorIs(t, err, c.want)
		})
	}
}

func TestErrorBodySurvivesTheWire(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("X-Openstack-Request-Id", "req-1")
	httpjson.WriteError(w, http.StatusConflict, "conflict", "the name is taken")
	require.Equal(t, http.StatusConflict, w.Code)
	assert.Equal(t, httpjson.ErrorDetail{Code: "conflict", Message: "the name is taken", RequestID: "req-1"}, httpjson.ReadError(w.Result()))
}

func TestReadErrorWithoutABodyNamesTheStatus(t *testing.T) {
	w := httptest.NewRecorder()
	w.WriteHeader(http.StatusBadGateway)
	assert.Contains(t, httpjson.ReadError(w.Result()).Message, "502")
}
