package set

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
)

// MilliCPU is processor time in thousandths of a core: 1500 is one and a half cores.
// In JSON it is a number, or a string such as "500m" or "1.5".
type MilliCPU int64

// Bytes is a size in bytes. In JSON it is a number, or a string such as "64Mi" or "1.5G".
type Bytes int64

// BitRate is a bandwidth in bits per second. In JSON it is a number, or a string such as "10Mbit".
type BitRate int64

// Duration is a time.Duration that reads "10s" or a number of seconds from JSON and writes "10s".
type Duration time.Duration

var (
	cpuUnits  = []unit{{"m", 1}, {"", 1000}}
	byteUnits = []unit{
		{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40},
		{"ki", 1 << 10}, {"mi", 1 << 20}, {"gi", 1 << 30}, {"ti", 1 << 40},
		{"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12},
		{"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"t", 1e12}, {"b", 1}, {"", 1},
	}
	rateUnits = []unit{
		{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"bit", 1},
		{"k", 1e3}, {"m", 1e6}, {"g", 1e9}, {"", 1},
	}
)

type unit struct {
	suffix string
	factor float64
}

// ParseMilliCPU reads "500m" (millicores) or "1.5" (cores).
func ParseMilliCPU(s string) (MilliCPU, error) {
	n, err := parseQuantity(s, cpuUnits)
	return MilliCPU(n), err
}

// ParseBytes reads a size with an optional unit: Ki, Mi, Gi, Ti (powers of 1024) or k, M, G, T (powers of 1000).
func ParseBytes(s string) (Bytes, error) {
	n, err := parseQuantity(s, byteUnits)
	return Bytes(n), err
}

// ParseBitRate reads a rate with an optional unit: kbit, Mbit, Gbit per second.
func ParseBitRate(s string) (BitRate, error) {
	n, err := parseQuantity(s, rateUnits)
	return BitRate(n), err
}

func parseQuantity(s string, units []unit) (int64, error) {
	text := strings.ToLower(strings.TrimSpace(s))
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || math.IsNaN(f) || f < 0 || f*u.factor >= math.MaxInt64 {
			break
		}
		return int64(math.Round(f * u.factor)), nil
	}
	return 0, fmt.Errorf("%w: %q is not a quantity", ErrInvalid, s)
}

// UnmarshalJSON reads a number of millicores or a string for ParseMilliCPU.
func (c *MilliCPU) UnmarshalJSON(b []byte) error { return unmarshalQuantity(b, (*int64)(c), cpuUnits) }

// UnmarshalJSON reads a number of bytes or a string for ParseBytes.
func (n *Bytes) UnmarshalJSON(b []byte) error { return unmarshalQuantity(b, (*int64)(n), byteUnits) }

// UnmarshalJSON reads a number of bits per second or a string for ParseBitRate.
func (r *BitRate) UnmarshalJSON(b []byte) error { return unmarshalQuantity(b, (*int64)(r), rateUnits) }

func unmarshalQuantity(b []byte, into *int64, units []unit) error {
	if len(b) == 0 || b[0] != '"' {
		return json.Unmarshal(b, into)
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	n, err := parseQuantity(s, units)
	if err == nil {
		*into = n
	}
	return err
}

// UnmarshalJSON reads "1m30s" or a number of seconds.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case float64:
		if math.Abs(v*float64(time.Second)) >= math.MaxInt64 {
			return fmt.Errorf("%w: %v seconds are too many", ErrInvalid, v)
		}
		*d = Duration(v * float64(time.Second))
		return nil
	case string:
		parsed, err := time.ParseDuration(v)
		if err != nil {
			return fmt.Errorf("%w: %q is not a duration such as 10s", ErrInvalid, v)
		}
		*d = Duration(parsed)
		return nil
	}
	return fmt.Errorf("%w: a duration is a string such as \"10s\" or a number of seconds", ErrInvalid)
}

// MarshalJSON writes the duration as time.Duration prints it.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// Secret is text that must not reach a log: it prints as "[secret]" everywhere but in JSON bodies.
type Secret string

// String hides the text.
func (Secret) String() string { return "[secret]" }

// GoString hides the text from %#v.
func (Secret) GoString() string { return "[secret]" }

// Format hides the text from every verb; fmt asks String for some only.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// LogValue hides the text from slog's JSON handler.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }
