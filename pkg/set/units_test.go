package set_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/set"
	"github.com/moset/moset/pkg/set/settest"
)

func TestParseBytes(t *testing.T) {
	for text, want := range map[string]set.Bytes{
		"0": 0, "1024": 1024, "64Mi": 64 << 20, "64MiB": 64 << 20, "1.5G": 1.5e9, "1.5Gi": 3 << 29, "2k": 2000, "2KB": 2000, "7b": 7,
		" 1 Ti ": 1 << 40, "1t": 1e12,
	} {
		got, err := set.ParseBytes(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}

func TestParseMilliCPUAndBitRate(t *testing.T) {
	for text, want := range map[string]set.MilliCPU{"500m": 500, "1.5": 1500, "2": 2000, "0": 0} {
		got, err := set.ParseMilliCPU(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
	for text, want := range map[string]set.BitRate{"10Mbit": 1e7, "1.5Gbit": 1.5e9, "10k": 1e4, "9bit": 9, "8": 8} {
		got, err := set.ParseBitRate(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
	}
}

func TestWhatIsNoQuantityIsInvalid(t *testing.T) {
	for _, text := range []string{"", "Mi", "-1", "-5Mi", "1e30", "inf", "NaN", "1 2", "64Qi", "9223372036854775808", "10%"} {
		_, err := set.ParseBytes(text)
		assert.ErrorIs(t, err, set.ErrInvalid, "bytes %q", text)
		_, err = set.ParseMilliCPU(text)
		assert.ErrorIs(t, err, set.ErrInvalid, "cpu %q", text)
		_, err = set.ParseBitRate(text)
		assert.ErrorIs(t, err, set.ErrInvalid, "rate %q", text)
	}
}

func TestQuantitiesInJSON(t *testing.T) {
	var r set.Resources
	require.NoError(t, json.Unmarshal([]byte(`{"cpu":"500m","memory":"64Mi","pids":7}`), &r))
	assert.Equal(t, set.Resources{CPU: 500, Memory: 64 << 20, Pids: 7}, r)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	assert.JSONEq(t, `{"cpu":500,"memory":67108864,"pids":7}`, string(b))
	for _, bad := range []string{`{"cpu":"x"}`, `{"cpu":1.5}`, `{"memory":true}`, `{"memory":"-1"}`} {
		assert.Error(t, json.Unmarshal([]byte(bad), &r), bad)
	}
}

func TestDurationInJSON(t *testing.T) {
	for text, want := range map[string]time.Duration{`"1m30s"`: 90 * time.Second, `10`: 10 * time.Second, `0.5`: 500 * time.Millisecond} {
		var d set.Duration
		require.NoError(t, json.Unmarshal([]byte(text), &d), text)
		assert.Equal(t, want, time.Duration(d), text)
	}
	for _, bad := range []string{`"soon"`, `true`, `[]`, `1e300`, `-1e300`, `"10"`} {
		var d set.Duration
		assert.ErrorIs(t, json.Unmarshal([]byte(bad), &d), set.ErrInvalid, bad)
	}
	b, err := json.Marshal(set.Duration(90 * time.Second))
	require.NoError(t, err)
	assert.Equal(t, `"1m30s"`, string(b))
}

func FuzzParseBytes(f *testing.F) {
	for _, s := range []string{"64Mi", "1.5G", "-1", "0x1p-2", "1e3k", "∞"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := set.ParseBytes(s)
		if err != nil {
			require.ErrorIs(t, err, set.ErrInvalid)
			return
		}
		require.GreaterOrEqual(t, int64(n), int64(0))
		b, err := json.Marshal(n)
		require.NoError(t, err)
		var back set.Bytes
		require.NoError(t, json.Unmarshal(b, &back))
		require.Equal(t, n, back)
	})
}

func FuzzDuration(f *testing.F) {
	f.Add([]byte(`"10s"`))
	f.Add([]byte(`1e18`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d, back set.Duration
		if json.Unmarshal(b, &d) != nil {
			return
		}
		text, err := json.Marshal(d)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &back))
		require.Equal(t, d, back)
	})
}

func TestASecretNeverPrints(t *testing.T) {
	s := set.Secret("hunter2")
	a := settest.Assignment("s1")
	a.PullToken = s
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10.3s"} {
		for _, v := range []any{s, &s, a, []set.Secret{s}, map[string]set.Secret{"token": s}, set.Record{Assignment: a}} {
			text := fmt.Sprintf(verb, v)
			assert.NotContains(t, text, "hunter2", verb)
			assert.NotContains(t, text, "68756e74657232", verb)
		}
	}
	var log bytes.Buffer
	for _, h := range []slog.Handler{slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil)} {
		slog.New(h).Info("x", "token", s)
	}
	assert.NotContains(t, log.String(), "hunter2")
	assert.Contains(t, log.String(), "[secret]")
	assert.Equal(t, "hunter2", s.Reveal())
	b, err := json.Marshal(a)
	require.NoError(t, err)
	assert.Contains(t, string(b), `"pull_token":"hunter2"`, "it does travel to the host")
}
