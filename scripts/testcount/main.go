// Command testcount reads `go test -json`, prints what failed in full, then go test's own package
// lines, the attributes of tests (testing.T.Attr) and the number that passed, failed and were skipped.
//
// It exits 1 when a test or a build failed, when a test was skipped, and when no test ran.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	summary := flag.String("summary", "", "file for the package lines and the count; empty prints them")
	flag.Parse()
	ok, err := run(os.Stdin, os.Stdout, *summary)
	if err != nil {
		fmt.Fprintf(os.Stderr, "testcount: %v\n", err)
		os.Exit(1)
	}
	if !ok {
		os.Exit(1)
	}
}

// run counts what in holds; details go to out at once, the summary to out or to the file named.
func run(in io.Reader, out io.Writer, summary string) (ok bool, err error) {
	c := newCounter(out)
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 16<<20) // one line of output may be long
	for scanner.Scan() {
		c.line(scanner.Bytes())
	}
	if err := scanner.Err(); err != nil {
		return false, fmt.Errorf("read the output of go test -json: %w", err)
	}
	if summary == "" {
		_, err = io.WriteString(out, c.summary())
	} else {
		err = os.WriteFile(summary, []byte(c.summary()), 0o644)
	}
	return c.ok(), err
}
