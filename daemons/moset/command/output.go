package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"text/template"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// structured reports whether programs, not people, read the output.
func (a *app) structured() bool { return a.json || a.format != "" }

// emit writes v as indented JSON, or through the template of --format, which sees v's JSON names.
func (a *app) emit(v any) error {
	if a.format == "" {
		e := json.NewEncoder(a.out)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	t, err := template.New("format").Option("missingkey=error").Parse(a.format)
	if err != nil {
		return fmt.Errorf("%w: --format: %w", errUsage, err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var plain any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&plain); err != nil {
		return err
	}
	if err := t.Execute(a.out, plain); err != nil {
		return fmt.Errorf("%w: --format: %w", errUsage, err)
	}
	_, err = fmt.Fprintln(a.out)
	return err
}

// printTable writes rows under a header, without lines, fit for eyes and for awk.
func printTable(w io.Writer, header table.Row, rows []table.Row) {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatUpper
	t.SetStyle(style)
	t.AppendHeader(header)
	t.AppendRows(rows)
	t.Render()
}

// size prints bytes as people read them.
func size(n int64) string {
	const k = 1024
	switch {
	case n >= k*k*k:
		return fmt.Sprintf("%.1f GiB", float64(n)/(k*k*k))
	case n >= k*k:
		return fmt.Sprintf("%.1f MiB", float64(n)/(k*k))
	case n >= k:
		return fmt.Sprintf("%.1f KiB", float64(n)/k)
	}
	return fmt.Sprintf("%d B", n)
}

// rate prints bits per second; none for zero.
func rate(n int64) string {
	switch {
	case n == 0:
		return "none"
	case n%1_000_000 == 0:
		return fmt.Sprintf("%d Mbit/s", n/1_000_000)
	case n%1000 == 0:
		return fmt.Sprintf("%d kbit/s", n/1000)
	}
	return fmt.Sprintf("%d bit/s", n)
}

// ago prints how long since t, coarsely.
func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	d := time.Since(t)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh ago", int(d.Hours()))
	}
	return fmt.Sprintf("%dd ago", int(d.Hours()/24))
}
