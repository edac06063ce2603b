// Command tether is the first process of a containerVM: it boots it, runs the container's process, and serves the control plane.
package main

import (
	"fmt"
	"os"

	// Its init function is the shim.
	_ "berth.dev/tether/shim"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "tether is the first process of a containerVM and runs only as process 1")
		os.Exit(2)
	}
	runInit()
}
