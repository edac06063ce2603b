package process

import (
	"errors"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"

	"berth.dev/tether/crash"
)

// Reaper collects every process that ends, as the first process of a machine must, and tells who started it.
type Reaper struct {
	mu      sync.Mutex
	waiting map[int]chan unix.WaitStatus
}

// NewReaper begins to reap.
func NewReaper() *Reaper {
	r := &Reaper{waiting: map[int]chan unix.WaitStatus{}}
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	crash.Go(func() {
		for range children {
			r.reap()
		}
	})
	return r
}

// Start runs fork, which gives a new process's id, so that the process's end cannot be missed. The channel receives its status once.
func (r *Reaper) Start(fork func() (int, error)) (int, <-chan unix.WaitStatus, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	pid, err := fork()
	if err != nil {
		return 0, nil, err
	}
	end := make(chan unix.WaitStatus, 1)
	r.waiting[pid] = end
	return pid, end, nil
}

func (r *Reaper) reap() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
		if end, ok := r.waiting[pid]; ok {
			delete(r.waiting, pid)
			end <- status
		}
	}
}
