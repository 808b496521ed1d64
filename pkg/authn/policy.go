package authn

import "fmt"

// Access is what a call does to the objects of a project.
type Access int

// The kinds of access, weakest first.
const (
	Read  Access = iota // role reader, member or admin
	Write               // role member or admin
	Admin               // role admin: hosts, other projects' objects
)

// Policy names the roles for each kind of access. Its zero value follows Nova's defaults.
type Policy struct {
	Readers, Members, Admins []string // default reader, member, admin; each includes the next
}

// Allow checks an identity. Errors: ErrForbidden. Whether an object belongs to the identity's project is
// not asked here: an object of another project is simply not found.
func (p Policy) Allow(id *Identity, a Access) error {
	roles := p.admins()
	switch a {
	case Write:
		roles = append(roles, p.members()...)
	case Read:
		roles = append(append(roles, p.members()...), or(p.Readers, "reader")...)
	}
	if id.HasRole(roles...) {
		return nil
	}
	return fmt.Errorf("%w: one of the roles %v on the project is needed", ErrForbidden, roles)
}

func (p Policy) members() []string { return or(p.Members, "member") }
func (p Policy) admins() []string  { return or(p.Admins, "admin") }

func or(roles []string, role string) []string {
	if len(roles) > 0 {
		return append([]string(nil), roles...)
	}
	return []string{role}
}
