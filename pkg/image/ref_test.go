package image

import (
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var someDigest = digest.FromString("x")

func TestReferencesAreRead(t *testing.T) {
	at := "@" + someDigest.String()
	for in, want := range map[string]Ref{
		"demo/app:1":                     {Repo: "demo/app", Tag: "1"},
		"demo/app":                       {Repo: "demo/app", Tag: "latest"},
		"app:1":                          {Repo: "home/app", Tag: "1"},
		"app":                            {Repo: "home/app", Tag: "latest"},
		"demo/team/app:1":                {Repo: "demo/team/app", Tag: "1"},
		"demo/app" + at:                  {Repo: "demo/app", Digest: someDigest},
		"demo/app:1" + at:                {Repo: "demo/app", Tag: "1", Digest: someDigest},
		"127.0.0.1:5000/demo/app:1":      {Host: "127.0.0.1:5000", Repo: "demo/app", Tag: "1"},
		"localhost/app:1":                {Host: "localhost", Repo: "home/app", Tag: "1"},
		"registry.example/demo/app" + at: {Host: "registry.example", Repo: "demo/app", Digest: someDigest},
	} {
		got, err := ParseRef(in, "Home")
		require.NoError(t, err, in)
		assert.Equal(t, want, got, in)
	}
}

func TestBadReferencesAreRefused(t *testing.T) {
	for _, in := range []string{
		"", "/", ":1", "@", "demo/", "/app", "demo/App:1", "Demo/app:1", "demo//app", "demo/app:", "demo/app:-x", "demo/app@sha256:12",
		"demo/app@md5:900150983cd24fb0d6963f7d28e17f72", "demo/a b", "demo/app:" + strings.Repeat("t", 129), "demo/" + strings.Repeat("n", 300), "app\x00",
	} {
		_, err := ParseRef(in, "home")
		assert.ErrorIs(t, err, ErrInvalid, "%q", in)
	}
	_, err := ParseRef("app:1", "")
	assert.ErrorIs(t, err, ErrInvalid)
	for _, in := range []string{"app", "demo/app:1", "demo.org/app", "localhost/demo/app", "demo/app" + "@" + someDigest.String(), ""} {
		assert.ErrorIs(t, CheckRepo(in), ErrInvalid, "%q", in)
	}
	assert.NoError(t, CheckRepo("demo/team/app"))
}

func TestAReferenceKnowsItsParts(t *testing.T) {
	r := Ref{Host: "h:1", Repo: "demo/team/app", Tag: "1", Digest: someDigest}
	assert.Equal(t, "demo", r.Project())
	assert.Equal(t, "team/app", r.Name())
	assert.Equal(t, "demo/team/app:1@"+someDigest.String(), r.String())
	assert.Equal(t, "h:1/demo/team/app@"+someDigest.String(), r.WithHost("h:1"))
	assert.True(t, Owns("42", "Demo", "demo/app"))
	assert.True(t, Owns("42", "Demo", "42/app"))
	assert.False(t, Owns("42", "Demo", "other/demo"))
	assert.False(t, Owns("", "", ""))
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"demo/app:1", "127.0.0.1:5000/demo/app@" + someDigest.String(), "app", "a/b/c:d@e", "//",
		"", ":", "@", "demo/../app", "demo/app:..", "localhost/x", "DEMO/app", "demo/app:" + strings.Repeat("t", 128), "demo/a--b__c.d:1", "demo/app@sha256:00",
		"[::1]:5000/demo/app", "demo/\x00", "demo/app@sha512:" + strings.Repeat("a", 128), strings.Repeat("a/", 200) + "b", "demo/app:1@" + someDigest.String() + "@x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s, "home")
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		require.NotEmpty(t, r.Project())
		require.NotEmpty(t, r.Name())
		require.Equal(t, strings.ToLower(r.Repo), r.Repo)
		again, err := ParseRef(r.WithHost("host:1"), "")
		require.NoError(t, err)
		require.Equal(t, r.Repo, again.Repo)
	})
}
