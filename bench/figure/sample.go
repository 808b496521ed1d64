package figure

import (
	"math"
	"slices"
	"time"
)

// Samples are measured times of one thing.
type Samples []time.Duration

// Median is the middle one; of an even number the mean of the middle two; 0 of none.
func (s Samples) Median() time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

// Percentile is the smallest sample that p percent of all are not above (nearest rank); 0 of none.
func (s Samples) Percentile(p float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(s))))
	return slices.Sorted(slices.Values(s))[min(max(rank, 1), len(s))-1]
}

// Max is the longest; 0 of none.
func (s Samples) Max() time.Duration { return s.Percentile(100) }

// Milliseconds is d with its fraction.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
