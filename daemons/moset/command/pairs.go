package command

import (
	"fmt"
	"strings"
)

// parsePairs reads NAME=VALUE arguments of a flag.
func parsePairs(flag string, list []string) (map[string]string, error) {
	if len(list) == 0 {
		return nil, nil
	}
	pairs := map[string]string{}
	for _, p := range list {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("%w: %s %q is not NAME=VALUE", errUsage, flag, p)
		}
		pairs[k] = v
	}
	return pairs, nil
}

// parseLabels adds --label arguments to into.
func parseLabels(list []string, into *map[string]string) error {
	pairs, err := parsePairs("--label", list)
	if err != nil {
		return err
	}
	for k, v := range pairs {
		if *into == nil {
			*into = map[string]string{}
		}
		(*into)[k] = v
	}
	return nil
}
