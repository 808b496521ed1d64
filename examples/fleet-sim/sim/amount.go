package sim

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/moset/moset/pkg/sched"
)

// GPU and FPGA are the scarce devices of the simulator, both in thousandths of a device.
const (
	GPU  = sched.Custom0
	FPGA = sched.Custom1
)

// column is a resource as a column of a CSV file: what one unit in the file is in the scheduler's units.
type column struct {
	name     string
	resource sched.Resource
	unit     float64
}

// columns are the resources a file may have, in the order they are written.
func columns() []column {
	return []column{
		{"cpu", sched.CPU, 1000}, {"memory", sched.Memory, 1 << 30}, {"disk", sched.Disk, 1 << 30},
		{"net_in", sched.NetIn, 1e9}, {"net_out", sched.NetOut, 1e9}, {"gpu", GPU, 1000}, {"fpga", FPGA, 1000},
	}
}

// amount reads a decimal number of units, empty being none.
func (c column) amount(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= 0 && x*c.unit < math.MaxInt64) {
		return 0, fmt.Errorf("%s is %q; give a number from 0 up", c.name, text)
	}
	return int64(math.Round(x * c.unit)), nil
}

// format is the shortest text that amount reads back.
func (c column) format(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(n)/c.unit, 'f', -1, 64)
}

// vector reads the resource columns of a row.
func (r row) vector() (sched.Vector, error) {
	var v sched.Vector
	for _, c := range columns() {
		n, err := c.amount(r.get(c.name))
		if err != nil {
			return v, err
		}
		v[c.resource] = n
	}
	return v, nil
}

// used are the columns that any of the vectors needs.
func used(vectors []sched.Vector) []column {
	var in []column
	for _, c := range columns() {
		for _, v := range vectors {
			if v[c.resource] != 0 {
				in = append(in, c)
				break
			}
		}
	}
	return in
}

// labels reads "disk=ssd;arch=arm64".
func labels(text string) (map[string]string, error) {
	m := map[string]string{}
	for _, part := range fields(text) {
		key, value, ok := strings.Cut(part, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("the label %q has no key and value; write key=value, with ; between labels", part)
		}
		m[key] = value
	}
	return m, nil
}

func fields(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool { return c == ';' })
}
