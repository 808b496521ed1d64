// Package imports holds the tests of the house rules a compiler does not check: who may import whom, what
// must be documented, and how long a file may be. It reads the source with go/parser and runs nothing.
package imports
