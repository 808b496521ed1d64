package sim

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/moset/moset/pkg/sched"
)

// ReadHosts reads a CSV file with a first line that names its columns: id, rack, zone, labels (key=value, with ;
// between them) and the resources: cpu in cores, memory and disk in GiB, net_in and net_out in Gbit/s, gpu and
// fpga in devices. Only id has to be there.
func ReadHosts(in io.Reader) ([]sched.Host, error) {
	var hosts []sched.Host
	err := readTable(in, known("id", "rack", "zone", "labels"), func(r row) error {
		h := sched.Host{ID: r.get("id"), Rack: r.get("rack"), Zone: r.get("zone")}
		var err error
		if h.Capacity, err = r.vector(); err != nil {
			return err
		}
		if h.Labels, err = labels(r.get("labels")); err != nil {
			return err
		}
		hosts = append(hosts, h)
		return h.Validate()
	})
	if err != nil {
		return nil, fmt.Errorf("read hosts: %w", err)
	}
	if len(hosts) == 0 {
		return nil, fmt.Errorf("read hosts: there are none")
	}
	return hosts, nil
}

// WriteHosts writes what ReadHosts reads.
func WriteHosts(out io.Writer, hosts []sched.Host) error {
	vectors := make([]sched.Vector, len(hosts))
	for i := range hosts {
		vectors[i] = hosts[i].Capacity
	}
	resources := used(vectors)
	head := []string{"id", "rack", "zone"}
	for _, c := range resources {
		head = append(head, c.name)
	}
	w := csv.NewWriter(out)
	lines := [][]string{append(head, "labels")}
	for _, h := range hosts {
		line := []string{h.ID, h.Rack, h.Zone}
		for _, c := range resources {
			line = append(line, c.format(h.Capacity[c.resource]))
		}
		lines = append(lines, append(line, joinLabels(h.Labels)))
	}
	if err := w.WriteAll(lines); err != nil {
		return fmt.Errorf("write hosts: %w", err)
	}
	return nil
}

func joinLabels(m map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, key+"="+m[key])
	}
	return strings.Join(parts, ";")
}
