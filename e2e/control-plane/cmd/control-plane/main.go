// Command control-plane runs a real Kubernetes control plane in one process: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler, with the certificates they need. It is meant for tests and for trying
// Berth out, and serves one machine. It prints "ready" once the cluster can be used, and stops on SIGTERM or SIGINT.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	readyTimeout = 2 * time.Minute
	stopTimeout  = 30 * time.Second
	// Kubernetes' programs wait long for an API server that is gone.
	failedStopTimeout = 5 * time.Second
)

func main() {
	settings, err := parseSettings(os.Args[1:])
	if err == nil {
		err = run(settings)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "control-plane:", err)
		os.Exit(1)
	}
}

func run(settings settings) error {
	started := time.Now()
	if err := enter(settings.directory); err != nil {
		return err
	}
	if err := settings.issueCertificates(); err != nil {
		return err
	}
	signalled, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	ctx, fail := context.WithCancelCause(signalled)
	defer fail(nil)
	stop, err := startAll(ctx, fail, settings)
	if err == nil {
		fmt.Printf("ready https://%s in %.1f s\n", settings.endpoint(), time.Since(started).Seconds())
		<-ctx.Done()
		err = context.Cause(ctx)
	}
	timeout := failedStopTimeout
	if signalled.Err() != nil {
		err = nil
		timeout = stopTimeout
	}
	release() // a second signal ends the process at once
	return errors.Join(err, within(timeout, stop))
}

// enter makes the directory this process's own. Every path from here on is relative to it, so that the socket of etcd stays
// below the 108 characters the kernel allows.
func enter(directory string) error {
	syscall.Umask(0o077)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	if err := os.Chdir(directory); err != nil {
		return err
	}
	// The descriptor stays open, and so the lock held, until the process ends.
	lock, err := unix.Open("lock", unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(directory, "lock"), err)
	}
	if err := unix.Flock(lock, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("--directory %s is in use by another control plane (%w): stop it or name another directory", directory, err)
	}
	return nil
}

// startAll starts everything and waits until the cluster can be used. Whatever comes of it, stop ends what was started.
func startAll(ctx context.Context, fail context.CancelCauseFunc, settings settings) (stop func(), err error) {
	stop, err = startEtcd(ctx, settings)
	if err != nil {
		return func() {}, err
	}
	client, err := adminClient()
	if err != nil {
		return stop, err
	}
	components, err := newComponents(settings)
	if err != nil {
		return stop, err
	}
	// Clients are stopped before what they talk to, and started after: the controller manager gives up when it is not let in within 10 s.
	stop = startBefore(stop, "kube-apiserver", components.runServer, fail)
	if err := await(ctx, readyTimeout, serverConditions(client)); err != nil {
		return stop, err
	}
	stop = startBefore(stop, "kube-controller-manager", components.runControllerManager, fail)
	stop = startBefore(stop, "kube-scheduler", components.runScheduler, fail)
	return stop, await(ctx, readyTimeout, clusterConditions(client, settings))
}

// startBefore runs a component until stop, which then calls next; when it ends by itself, fail is told why.
func startBefore(next func(), name string, run func(context.Context) error, fail context.CancelCauseFunc) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := run(ctx)
		if ctx.Err() == nil {
			fail(fmt.Errorf("%s ended by itself: %w", name, cmp.Or(err, errors.New("no reason given"))))
		}
	}()
	return func() {
		cancel()
		<-done
		next()
	}
}

func adminClient() (kubernetes.Interface, error) {
	configuration, err := clientcmd.BuildConfigFromFlags("", adminKubeconfig)
	if err != nil {
		return nil, err
	}
	configuration.QPS = -1 // no client-side limit
	return kubernetes.NewForConfig(configuration)
}

func within(timeout time.Duration, action func()) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		action()
	}()
	select {
	case <-done:
		return nil
	case <-time.After(timeout):
		return fmt.Errorf("did not stop within %v", timeout)
	}
}
