package image

import (
	_ "crypto/sha256" // digests are of these two kinds; go-digest refuses what is not linked in
	_ "crypto/sha512"
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// anchor stands where a registry host would, so that the grammar reads the owning project as a path element.
const anchor = "moset.invalid/"

// Ref names an image: "project/app:tag" or "project/app@sha256:…". With both, the digest decides.
type Ref struct {
	Host   string        // registry host as given, "" when none; never part of a look-up
	Repo   string        // "project/app", at least two path elements, lower case
	Tag    string        // "" when only a digest was given
	Digest digest.Digest // "" when only a tag was given
}

// ParseRef reads "[host/][project/]app[:tag][@digest]". As in Docker, a first element with a dot or a colon, or
// "localhost", is a host. A bare "app" belongs to defaultProject; without tag and digest the tag is "latest".
// Errors: ErrInvalid.
func ParseRef(s, defaultProject string) (Ref, error) {
	host, rest := splitHost(s)
	if !strings.Contains(rest, "/") {
		if defaultProject == "" {
			return Ref{}, invalidRef(s, "it names no project, write project/image")
		}
		rest = strings.ToLower(defaultProject) + "/" + rest
	}
	parsed, err := reference.Parse(anchor + rest)
	if err != nil {
		return Ref{}, invalidRef(s, err.Error())
	}
	named, ok := parsed.(reference.Named)
	if !ok {
		return Ref{}, invalidRef(s, "it has no name")
	}
	ref := Ref{Host: host, Repo: reference.Path(named)}
	if d, ok := parsed.(reference.Digested); ok {
		ref.Digest = d.Digest()
	}
	if t, ok := parsed.(reference.Tagged); ok {
		ref.Tag = t.Tag()
	}
	if ref.Tag == "" && ref.Digest == "" {
		ref.Tag = "latest"
	}
	return ref, nil
}

// CheckRepo says whether repo is "project/name…" by the grammar of OCI names. Errors: ErrInvalid.
func CheckRepo(repo string) error {
	if host, _ := splitHost(repo); host != "" {
		return invalidRef(repo, "its first element must be a project, not a host")
	}
	ref, err := ParseRef(repo, "")
	if err != nil {
		return err
	}
	if ref.Repo != repo {
		return invalidRef(repo, "a repository has neither tag nor digest")
	}
	return nil
}

// Project is the first path element: the project that owns the repository.
func (r Ref) Project() string { return ProjectOf(r.Repo) }

// Name is the path below the project.
func (r Ref) Name() string {
	_, name, _ := strings.Cut(r.Repo, "/")
	return name
}

// String is the reference without its host: "project/app:tag@digest".
func (r Ref) String() string {
	s := r.Repo
	if r.Tag != "" {
		s += ":" + r.Tag
	}
	if r.Digest != "" {
		s += "@" + r.Digest.String()
	}
	return s
}

// WithHost is the reference as docker pull wants it, "host/project/app:tag". Docker refuses tag and digest
// together on some verbs, so a digest leaves the tag out.
func (r Ref) WithHost(host string) string {
	if r.Digest != "" {
		r.Tag = ""
	}
	return host + "/" + r.String()
}

// ProjectOf is the first path element of a repository.
func ProjectOf(repo string) string {
	project, _, _ := strings.Cut(repo, "/")
	return project
}

// Owns says whether the project of that id and name owns repo: its first element is the name (any case) or the id.
func Owns(projectID, projectName, repo string) bool {
	p := ProjectOf(repo)
	return p != "" && (p == projectID || strings.EqualFold(p, projectName))
}

func splitHost(s string) (host, rest string) {
	first, after, found := strings.Cut(s, "/")
	if found && (first == "localhost" || strings.ContainsAny(first, ".:")) {
		return first, after
	}
	return "", s
}

func invalidRef(s, why string) error {
	return &Error{Op: "parse reference", ID: fmt.Sprintf("%q", s), Err: fmt.Errorf("%w: %s", ErrInvalid, why)}
}
