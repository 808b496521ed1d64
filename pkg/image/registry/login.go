package registry

import (
	"regexp"
	"strings"

	"github.com/moset/moset/pkg/image"
)

// credentialID is how Keystone names application credentials.
var credentialID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// parseLogin reads "user[@domain][/project]" or the id of an application credential. A user's name may itself have
// an @, so there may be two readings, to be tried in order.
func parseLogin(name, password string) []Login {
	if credentialID.MatchString(name) {
		return []Login{{ApplicationCredentialID: name, ApplicationCredentialSecret: password}}
	}
	user, project, _ := strings.Cut(name, "/")
	whole := Login{User: user, Password: password, Project: project}
	at := strings.LastIndex(user, "@")
	if at <= 0 || at == len(user)-1 {
		return []Login{whole}
	}
	split := whole
	split.User, split.Domain = user[:at], user[at+1:]
	return []Login{split, whole}
}

// scopeProject is the project that a token for these scopes ("repository:project/app:pull,push") has to be for: the
// one pushed to, else the first. "" when no scope names one.
func scopeProject(scopes []string) string {
	first := ""
	for _, list := range scopes {
		for _, scope := range strings.Fields(list) {
			project, push := parseScope(scope)
			if push {
				return project
			}
			if first == "" {
				first = project
			}
		}
	}
	return first
}

func parseScope(scope string) (project string, push bool) {
	parts := strings.Split(scope, ":")
	if len(parts) != 3 || parts[0] != "repository" || image.CheckRepo(parts[1]) != nil {
		return "", false
	}
	for action := range strings.SplitSeq(parts[2], ",") {
		push = push || action == "push"
	}
	return image.ProjectOf(parts[1]), push
}
