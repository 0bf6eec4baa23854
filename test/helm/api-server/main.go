// Does with manifests what the API server does, by its own packages: no cluster is needed.
package main

import (
	"fmt"
	"os"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	switch os.Args[1] {
	case "admit":
		admit()
	case "check":
		check()
	case "warn":
		warn()
	}
}
