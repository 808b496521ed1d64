package stack

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moset/moset/pkg/authn"
)

// secrets are made once and kept in the state directory, readable by its owner only.
type secrets struct {
	Admin, Demo, Alt, Viewer, Service string // passwords
	Key                               string // of region and hosts
}

func (s *Stack) loadSecrets(context.Context) error {
	file := filepath.Join(s.cfg.StateDir, "secrets.json")
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &s.secrets)
		return s.useKey(err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("secrets: %w", err)
	}
	for _, field := range []*string{&s.secrets.Admin, &s.secrets.Demo, &s.secrets.Alt, &s.secrets.Viewer, &s.secrets.Service, &s.secrets.Key} {
		random := make([]byte, 18)
		_, _ = rand.Read(random) // never fails
		*field = base64.RawURLEncoding.EncodeToString(random)
	}
	if b, err = json.Marshal(s.secrets); err != nil {
		return err
	}
	return s.useKey(os.WriteFile(file, b, 0o600))
}

func (s *Stack) useKey(err error) error {
	if err != nil {
		return fmt.Errorf("secrets: %w", err)
	}
	s.key, err = authn.NewSharedKey(s.secrets.Key)
	return err
}

// Projects are the projects of the cloud, each with a user of the same name.
var Projects = []string{"admin", "demo", "alt"}

// Environment is what a client needs to be the user of that name ("admin", "demo", "alt" or "viewer") of the
// Keystone that the cloud brings along.
func (s *Stack) Environment(user string) map[string]string {
	passwords := map[string]string{"admin": s.secrets.Admin, "demo": s.secrets.Demo, "alt": s.secrets.Alt, "viewer": s.secrets.Viewer}
	project := user
	if user == "viewer" {
		project = "demo"
	}
	return map[string]string{
		"OS_AUTH_URL": s.authURL(), "OS_IDENTITY_API_VERSION": "3", "OS_REGION_NAME": "RegionOne",
		"OS_USERNAME": user, "OS_PASSWORD": passwords[user], "OS_USER_DOMAIN_NAME": "Default",
		"OS_PROJECT_NAME": project, "OS_PROJECT_DOMAIN_NAME": "Default",
		"MOSET_REGISTRY": s.listeners.registry.Bound.Addr().String(),
	}
}

func (s *Stack) readyFile() string { return filepath.Join(s.cfg.StateDir, "ready") }

// writeCredentials leaves an openrc file for each user, a clouds.yaml, and the file that says all is up.
func (s *Stack) writeCredentials() error {
	if s.cfg.Cloud != nil { // its users have theirs
		return os.WriteFile(s.readyFile(), nil, 0o600)
	}
	clouds := "clouds:\n"
	for _, user := range append(slices.Clone(Projects), "viewer") {
		env := s.Environment(user)
		if err := os.WriteFile(filepath.Join(s.cfg.StateDir, "openrc-"+user), []byte(openrc(env)), 0o600); err != nil {
			return err
		}
		clouds += cloud(user, env)
	}
	if err := os.WriteFile(filepath.Join(s.cfg.StateDir, "clouds.yaml"), []byte(clouds), 0o600); err != nil {
		return err
	}
	return os.WriteFile(s.readyFile(), nil, 0o600)
}

func openrc(env map[string]string) string {
	var lines []string
	for k, v := range env {
		lines = append(lines, fmt.Sprintf("export %s='%s'\n", k, v))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func cloud(user string, env map[string]string) string {
	return fmt.Sprintf(`  %s:
    region_name: %s
    identity_api_version: 3
    auth:
      auth_url: %s
      username: %s
      password: %s
      user_domain_name: Default
      project_name: %s
      project_domain_name: Default
`, user, env["OS_REGION_NAME"], env["OS_AUTH_URL"], env["OS_USERNAME"], env["OS_PASSWORD"], env["OS_PROJECT_NAME"])
}
