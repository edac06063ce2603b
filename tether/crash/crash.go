// Package crash carries a panic of any goroutine to the one place that can report it and end the VM.
package crash

import (
	"fmt"
	"runtime"
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
		(*handle)(fmt.Sprintf("%v\n%s", reason, stack()))
	}
	panic(reason)
}

// stack is debug.Stack, of a package that is initialised late, see package pid1.
func stack() []byte {
	trace := make([]byte, 64<<10)
	return trace[:runtime.Stack(trace, false)]
}

// Go runs task in a guarded goroutine.
func Go(task func()) {
	go func() {
		defer Guard()
		task()
	}()
}
