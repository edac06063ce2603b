// Package crash carries a panic of any goroutine to the one place that can report it and end the VM.
package crash

import (
	"fmt"
	"runtime/debug"
	"sync/atomic"
)

var handler atomic.Pointer[func(reason any)]

// Handle sets what is done with a panic. It must not return.
func Handle(handle func(reason any)) { handler.Store(&handle) }

// Guard is deferred by every goroutine. Without a handler, as in tests, the panic goes on.
func Guard() {
	reason := recover()
	if reason == nil {
		return
	}
	if handle := handler.Load(); handle != nil {
		(*handle)(fmt.Sprintf("%v\n%s", reason, debug.Stack()))
	}
	panic(reason)
}

// Go runs task in a guarded goroutine.
func Go(task func()) {
	go func() {
		defer Guard()
		task()
	}()
}
