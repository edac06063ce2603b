package crash

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestPanicReachesTheHandler(t *testing.T) {
	reasons := make(chan any, 1)
	Handle(func(reason any) {
		reasons <- reason
		runtime.Goexit()
	})
	t.Cleanup(func() { handler.Store(nil) })
	Go(func() { panic("broken") })
	select {
	case reason := <-reasons:
		if text := fmt.Sprint(reason); !strings.HasPrefix(text, "broken\n") || !strings.Contains(text, "crash_test.go") {
			t.Errorf("the handler got %q", text)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the handler got nothing")
	}
}

func TestGuardPassesAQuietEnd(t *testing.T) {
	done := make(chan struct{})
	Go(func() { close(done) })
	<-done
}
