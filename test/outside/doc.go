// Package outside holds the tests of what a stranger sees: that each of the five packages can be required
// by a module of its own, from a module proxy and without a replace, and what it brings along.
package outside
