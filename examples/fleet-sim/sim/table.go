package sim

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
)

// row is one line of a CSV file, by the names in its first line.
type row struct {
	index map[string]int
	cells []string
}

func (r row) get(name string) string {
	if i, ok := r.index[name]; ok {
		return r.cells[i]
	}
	return ""
}

// readTable hands each line to add. A column that is not known is an error: it would be a wish that is not heard.
func readTable(in io.Reader, known []string, add func(row) error) error {
	r := csv.NewReader(in)
	r.Comment = '#'
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if err != nil {
		return fmt.Errorf("the first line, which names the columns, cannot be read: %w", err)
	}
	index := make(map[string]int, len(head))
	for i, name := range head {
		if _, twice := index[name]; twice || !slices.Contains(known, name) {
			return fmt.Errorf("the column %q is there twice or not known; the known ones are %v", name, known)
		}
		index[name] = i
	}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read CSV: %w", err)
		}
		if err := add(row{index, cells}); err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("line %d: %w", line, err)
		}
	}
}

func known(own ...string) []string {
	for _, c := range columns() {
		own = append(own, c.name)
	}
	return own
}
