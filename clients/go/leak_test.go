package spreadsidecar

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain runs the examples only if SPREAD_SIDECAR_TARGET names a sidecar.
func TestMain(m *testing.M) {
	flag.Parse()
	if target == "" {
		fmt.Println("SPREAD_SIDECAR_TARGET is not set: the examples are skipped")
		if err := flag.Set("test.skip", "^Example"); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	if left := goroutinesLeft(); code == 0 && left != "" {
		fmt.Println("goroutines are left:\n" + left)
		code = 1
	}
	os.Exit(code)
}

// target is a sidecar whose daemon has no other users.
var target = os.Getenv("SPREAD_SIDECAR_TARGET")

// goroutinesLeft waits until all goroutines of this package and of gRPC end, and returns the stacks of those
// that do not.
func goroutinesLeft() string {
	deadline := time.Now().Add(10 * time.Second)
	for {
		left := ours()
		if left == "" || time.Now().After(deadline) {
			return left
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func ours() string {
	buffer := make([]byte, 1<<20)
	stacks := strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n")
	var left []string
	for _, stack := range stacks[1:] {
		if strings.Contains(stack, "clients/go.") || strings.Contains(stack, "google.golang.org/grpc") {
			if !strings.Contains(stack, "testing.tRunner") && !strings.Contains(stack, "testing.(*M)") {
				left = append(left, stack)
			}
		}
	}
	return strings.Join(left, "\n\n")
}

// leavesNothing fails the test if goroutines remain.
func leavesNothing(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if left := goroutinesLeft(); left != "" {
			t.Errorf("goroutines are left:\n%s", left)
		}
	})
}
