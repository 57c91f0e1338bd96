// Adjudge is where people judge machine learning: one binary that serves a
// browser, opens a desktop window, and answers CI whether a model may ship.
package main

import (
	"os"

	"github.com/adjudge/adjudge/app"
)

func main() { os.Exit(app.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
