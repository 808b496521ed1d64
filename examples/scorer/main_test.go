package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/moset/moset/pkg/sched"
)

func Example() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// web-0 goes to by-the-dam
	// web-1 goes to by-the-dam
	// web-2 goes to on-the-hill
	// web-3 goes to on-the-hill
}

func TestCheaperIsBetterAndAPriceIsBetterThanNone(t *testing.T) {
	var hosts []sched.Host
	for i, price := range []string{"0", "1.5", "40", "", "free", "NaN", "-3"} {
		hosts = append(hosts, sched.Host{ID: fmt.Sprint("host-", i), Labels: map[string]string{"cents-per-kwh": price}})
	}
	q, views, err := sched.Views(sched.Set{ID: "set"}, hosts...)
	require.NoError(t, err)
	var scores []float64
	for _, v := range views {
		scores = append(scores, cheap{}.Score(q, v))
	}
	assert.InDeltaSlice(t, []float64{1, 0.4, 1.0 / 41, 0, 0, 0, 0}, scores, 1e-9)
}
