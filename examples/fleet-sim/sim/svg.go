package sim

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/moset/moset/pkg/sched"
)

// The drawing's measures, in pixels.
const (
	cell, gap   = 15, 3
	acrossRack  = 10
	racksInRow  = 4
	margin      = 24
	headHeight  = 92
	labelHeight = 18
)

// Draw writes an SVG picture of the fleet at the peak: a cell for each host, coloured by how full it is, in a box
// for each rack. A host with something not every host has is framed, and the bar in it shows how much of that is
// taken.
func Draw(out io.Writer, title string, r Result) error {
	d := drawing{scarce: scarce(r.Peak), racks: racks(r.Peak)}
	width := 2*margin + racksInRow*rackWidth - 2*gap
	d.cells(headHeight)
	var page strings.Builder
	fmt.Fprintf(&page, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="11" fill="#24292f">`+"\n", width, d.bottom+margin)
	page.WriteString(`<rect width="100%" height="100%" fill="#ffffff"/>` + "\n")
	fmt.Fprintf(&page, `<text x="%d" y="34" font-size="16" font-weight="bold">%s</text>`+"\n", margin, escape(title))
	fmt.Fprintf(&page, `<text x="%d" y="54" font-size="12">%s</text>`+"\n", margin, escape(r.sentence()))
	legend(&page, len(d.scarce) > 0)
	page.WriteString(d.text.String())
	page.WriteString("</svg>\n")
	if _, err := io.WriteString(out, page.String()); err != nil {
		return fmt.Errorf("draw the fleet: %w", err)
	}
	return nil
}

const rackWidth = acrossRack*(cell+gap) + 2*gap + 8

type drawing struct {
	text   strings.Builder
	scarce []sched.Resource
	racks  [][]*sched.Host
	bottom int
}

// cells draws the racks in rows, from y down.
func (d *drawing) cells(y int) {
	for from := 0; from < len(d.racks); from += racksInRow {
		row := d.racks[from:min(from+racksInRow, len(d.racks))]
		lines := 1
		for _, rack := range row {
			lines = max(lines, (len(rack)+acrossRack-1)/acrossRack)
		}
		height := lines*(cell+gap) + gap
		for k, rack := range row {
			d.rack(margin+k*rackWidth, y, height, rack)
		}
		y += labelHeight + height + 8
	}
	d.bottom = y - 8
}

func (d *drawing) rack(x, y, height int, hosts []*sched.Host) {
	fmt.Fprintf(&d.text, `<text x="%d" y="%d" fill="#57606a">%s</text>`+"\n", x, y+12, escape(rackName(hosts[0])))
	y += labelHeight
	fmt.Fprintf(&d.text, `<rect x="%d" y="%d" width="%d" height="%d" rx="3" fill="#f6f8fa" stroke="#d0d7de"/>`+"\n", x, y, acrossRack*(cell+gap)+gap, height)
	for i, h := range hosts {
		d.host(x+gap+i%acrossRack*(cell+gap), y+gap+i/acrossRack*(cell+gap), h)
	}
}

func (d *drawing) host(x, y int, h *sched.Host) {
	fmt.Fprintf(&d.text, `<g><title>%s: %s</title><rect x="%d" y="%d" width="%d" height="%d" fill="%s"`, escape(h.ID), escape(tip(h)), x, y, cell, cell, shade(fill(h)))
	taken, has := 0.0, false
	for _, r := range d.scarce {
		if all := h.Allocatable()[r]; all > 0 {
			taken, has = max(taken, part(h.Used[r], all)), true
		}
	}
	if !has {
		d.text.WriteString("/></g>\n")
		return
	}
	d.text.WriteString(` stroke="#d4580a" stroke-width="2"/>`)
	fmt.Fprintf(&d.text, `<rect x="%d" y="%d" width="%d" height="4" fill="#fff"/>`, x+2, y+cell-6, int(cell-4))
	fmt.Fprintf(&d.text, `<rect x="%d" y="%d" width="%.1f" height="4" fill="#d4580a"/></g>`+"\n", x+2, y+cell-6, float64(cell-4)*min(1, taken))
}

// legend is the line of squares under the title.
func legend(out io.Writer, marked bool) {
	x := margin
	for _, percent := range []int{0, 25, 50, 75, 100} {
		square(out, x, shade(float64(percent)/100), `stroke="#d0d7de"`, fmt.Sprintf("%d %%", percent))
		x += 62
	}
	fmt.Fprintf(out, `<text x="%d" y="77">processor or memory in use</text>`+"\n", x)
	if marked {
		x += 190
		square(out, x, shade(.25), `stroke="#d4580a" stroke-width="2"`, "has a scarce device; the bar is its use")
		fmt.Fprintf(out, `<rect x="%d" y="74" width="6" height="4" fill="#d4580a"/>`+"\n", x+2)
	}
}

func square(out io.Writer, x int, fill, stroke, text string) {
	fmt.Fprintf(out, `<rect x="%d" y="65" width="%d" height="%d" fill="%s" %s/><text x="%d" y="77">%s</text>`+"\n", x, cell, cell, fill, stroke, x+cell+6, text)
}

// sentence is the result in one line.
func (r Result) sentence() string {
	return fmt.Sprintf("%d of %d requests placed; at the peak %d of %d hosts in use (lower bound %d)", r.Placed, r.Requests, r.Used, r.Hosts, r.Bound)
}

// scarce are the resources that some hosts have and others do not.
func scarce(hosts []sched.Host) []sched.Resource {
	var some []sched.Resource
	for _, c := range columns() {
		have := 0
		for i := range hosts {
			if hosts[i].Allocatable()[c.resource] > 0 {
				have++
			}
		}
		if have > 0 && have < len(hosts) {
			some = append(some, c.resource)
		}
	}
	return some
}

func racks(list []sched.Host) [][]*sched.Host {
	hosts := make([]*sched.Host, len(list))
	for i := range list {
		hosts[i] = &list[i]
	}
	slices.SortFunc(hosts, func(a, b *sched.Host) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Rack, b.Rack), cmp.Compare(a.ID, b.ID))
	})
	var all [][]*sched.Host
	for i, h := range hosts {
		if i == 0 || h.Zone != hosts[i-1].Zone || h.Rack != hosts[i-1].Rack {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], h)
	}
	return all
}

func rackName(h *sched.Host) string { return strings.Trim(h.Zone+" / "+h.Rack, " /") }

func fill(h *sched.Host) float64 {
	all := h.Allocatable()
	return min(1, max(part(h.Used[sched.CPU], all[sched.CPU]), part(h.Used[sched.Memory], all[sched.Memory])))
}

func tip(h *sched.Host) string {
	var parts []string
	for _, c := range columns() {
		if all := h.Allocatable()[c.resource]; all > 0 {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", c.name, 100*part(h.Used[c.resource], all)))
		}
	}
	return strings.Join(parts, ", ")
}

// shade goes from a pale to a dark blue.
func shade(full float64) string {
	at := func(from, to float64) int { return int(from + (to-from)*min(1, max(0, full))) }
	return fmt.Sprintf("#%02x%02x%02x", at(0xe8, 0x08), at(0xf0, 0x3a), at(0xf7, 0x75))
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder never fails
	return b.String()
}
