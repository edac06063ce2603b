package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestProcessComesBeforeTheServer sees that package pid1, which starts the container's process, is initialised before what only the
// server needs. When it fails, something that pid1 imports has a new import: go list -deps tells which.
func TestProcessComesBeforeTheServer(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "tether")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	run := exec.Command(binary)
	run.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	output, err := run.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() != 2 {
		t.Fatalf("not as process 1: %v\n%s", err, output)
	}
	var order []string
	for line := range strings.Lines(string(output)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "init" {
			order = append(order, fields[1])
		}
	}
	first := slices.Index(order, "berth.dev/tether/pid1")
	if first < 0 {
		t.Fatalf("pid1 is not initialised:\n%s", output)
	}
	for _, late := range []string{
		"google.golang.org/protobuf/reflect/protoreflect", "google.golang.org/protobuf/internal/impl", "regexp", "net", "net/http", "crypto/x509",
		"google.golang.org/grpc", "berth.dev/tether/api",
	} {
		if i := slices.Index(order, late); i < first {
			t.Errorf("%s is initialised at place %d, pid1 only at %d", late, i, first)
		}
	}
}
