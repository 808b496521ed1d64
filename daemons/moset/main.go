// Command moset is the client of a moset cloud; see moset --help.
package main

import (
	"os"

	"github.com/moset/moset/daemons/moset/command"
)

func main() { os.Exit(command.Execute(os.Args[1:], os.Stdout, os.Stderr)) }
