package front

import (
	"flag"
	"fmt"
	"net/url"
	"strings"

	"github.com/moset/moset/pkg/image/registry"
)

// ReplicaFlags are -replica and -replicas of a daemon.
type ReplicaFlags struct{ registry.Replicas }

// Add defines them on the command line.
func (f *ReplicaFlags) Add() {
	flag.StringVar(&f.Name, "replica", "", "name of this registry among several behind one address")
	flag.Var(f, "replicas", "the others as NAME=URL,NAME=URL: where this one reaches them")
}

// String implements flag.Value.
func (f *ReplicaFlags) String() string {
	var all []string
	for name, u := range f.Others {
		all = append(all, name+"="+u.String())
	}
	return strings.Join(all, ",")
}

// Set implements flag.Value.
func (f *ReplicaFlags) Set(s string) error {
	f.Others = map[string]*url.URL{}
	for pair := range strings.SplitSeq(s, ",") {
		name, address, ok := strings.Cut(pair, "=")
		u, err := url.Parse(address)
		if !ok || err != nil || u.Host == "" {
			return fmt.Errorf("%q is not NAME=URL", pair)
		}
		f.Others[name] = u
	}
	return nil
}
