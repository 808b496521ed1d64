// Package errkind gives an error of one package the sentinel of another, where two packages that do
// not know each other meet.
package errkind

import "errors"

// Map pairs a sentinel of the package called with one of the package that asks.
type Map []struct{ From, To error }

// Translate returns err with the To sentinel of the first From it matches. The text stays; errors.Is
// finds both. An error no pair matches comes back as it is.
func (m Map) Translate(err error) error {
	if err == nil {
		return nil
	}
	for _, p := range m {
		if errors.Is(err, p.From) {
			return &translated{err: err, kind: p.To}
		}
	}
	return err
}

type translated struct{ err, kind error }

func (t *translated) Error() string   { return t.err.Error() }
func (t *translated) Unwrap() []error { return []error{t.err, t.kind} }
