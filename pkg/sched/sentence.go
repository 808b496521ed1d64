package sched

import (
	"fmt"
	"strings"
)

// String is the explanation as one sentence, such as "0 of 3 hosts fit: 2 lack
// memory (4 GiB needed, at most 1 GiB free), 1 is cordoned".
func (e Explanation) String() string {
	if e.Hosts == 0 {
		return "there are no hosts; add one and try again"
	}
	head := fmt.Sprintf("%d of %d hosts fit", e.Fit, e.Hosts)
	if e.Hosts == 1 {
		head = fmt.Sprintf("%d of 1 host fits", e.Fit)
	}
	var parts []string
	for _, c := range e.ByFilter {
		parts = append(parts, c.String()+e.detail(c))
	}
	if len(parts) == 0 {
		return head
	}
	return head + ": " + strings.Join(parts, ", ")
}

// String is the count in words, such as "2 lack memory".
func (c Count) String() string {
	if c.Hosts == 1 {
		return "1 " + string(c.Reason)
	}
	verb, rest, _ := strings.Cut(string(c.Reason), " ")
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", c.Hosts, plural(verb), rest))
}

// detail is the figures behind a lack of a resource.
func (e Explanation) detail(c Count) string {
	if c.Filter != (ResourceFilter{}).Name() {
		return ""
	}
	for _, s := range e.Exhausted {
		if string(c.Reason) == "lacks "+s.Resource.String() {
			return fmt.Sprintf(" (%s needed, at most %s free)", s.Resource.Format(s.Need), s.Resource.Format(max(0, s.MostFree)))
		}
	}
	return ""
}

// plural is the form a verb of the third person takes for several hosts.
func plural(verb string) string {
	switch verb {
	case "is":
		return "are"
	case "was":
		return "were"
	case "has":
		return "have"
	case "does":
		return "do"
	}
	for _, end := range []string{"sses", "shes", "ches", "xes"} {
		if strings.HasSuffix(verb, end) {
			return strings.TrimSuffix(verb, "es")
		}
	}
	if stem, ok := strings.CutSuffix(verb, "ies"); ok {
		return stem + "y"
	}
	return strings.TrimSuffix(verb, "s")
}
