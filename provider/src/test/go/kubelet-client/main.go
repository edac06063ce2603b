// Command kubelet-client speaks to a kubelet's API as kube-apiserver and kubectl do, with their own
// client library. It prints nothing of its own on standard output: that is the command's.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	restclient "k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/transport/spdy"
	clientexec "k8s.io/client-go/util/exec"
)

type options struct {
	url, cert, key, ca, protocol, sizes string
	stdin, tty, noStderr                bool
	ports                               string
	timeout, readDelay                  time.Duration
}

func main() {
	var o options
	flag.StringVar(&o.url, "url", "", "where to go, with the query")
	flag.StringVar(&o.cert, "cert", "", "client certificate file")
	flag.StringVar(&o.key, "key", "", "client key file")
	flag.StringVar(&o.ca, "ca", "", "server authority file")
	flag.StringVar(&o.protocol, "protocol", "spdy", "spdy or websocket")
	flag.StringVar(&o.sizes, "sizes", "", "JSON list of terminal sizes to send, one every 100 ms")
	flag.BoolVar(&o.stdin, "stdin", false, "pass standard input on")
	flag.BoolVar(&o.tty, "tty", false, "ask for a terminal")
	flag.BoolVar(&o.noStderr, "no-stderr", false, "leave standard error out")
	flag.StringVar(&o.ports, "ports", "", "forward ports, as LOCAL:REMOTE, until standard input ends")
	flag.DurationVar(&o.timeout, "timeout", time.Minute, "deadline of the whole")
	flag.DurationVar(&o.readDelay, "read-delay", 0, "wait so long before reading any output")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout)
	defer cancel()
	var err error
	if o.ports != "" {
		err = forward(ctx, o)
	} else {
		err = command(ctx, o)
	}
	var exit clientexec.CodeExitError
	if errors.As(err, &exit) {
		os.Exit(exit.Code)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "kubelet-client:", err)
		os.Exit(99)
	}
}

func (o options) config() *restclient.Config {
	return &restclient.Config{
		Host: o.url,
		TLSClientConfig: restclient.TLSClientConfig{
			CertFile: o.cert, KeyFile: o.key, CAFile: o.ca, NextProtos: []string{"http/1.1"},
		},
	}
}

func command(ctx context.Context, o options) error {
	target, err := url.Parse(o.url)
	if err != nil {
		return err
	}
	var executor remotecommand.Executor
	if o.protocol == "websocket" {
		executor, err = remotecommand.NewWebSocketExecutor(o.config(), http.MethodGet, o.url)
	} else {
		executor, err = remotecommand.NewSPDYExecutor(o.config(), http.MethodPost, target)
	}
	if err != nil {
		return err
	}
	stream := remotecommand.StreamOptions{Stdout: delayed(os.Stdout, o.readDelay), Tty: o.tty}
	if o.stdin {
		stream.Stdin = os.Stdin
	}
	if !o.tty && !o.noStderr {
		stream.Stderr = os.Stderr
	}
	if o.tty {
		if stream.TerminalSizeQueue, err = newSizes(o.sizes); err != nil {
			return err
		}
	}
	return executor.StreamWithContext(ctx, stream)
}

type delayedWriter struct {
	io.Writer
	until time.Time
}

func delayed(w io.Writer, delay time.Duration) io.Writer {
	return &delayedWriter{w, time.Now().Add(delay)}
}

func (d *delayedWriter) Write(p []byte) (int, error) {
	time.Sleep(time.Until(d.until))
	return d.Writer.Write(p)
}

// sizes hands out terminal sizes one after another and then waits for ever, as a user would.
type sizes struct{ rest []remotecommand.TerminalSize }

func newSizes(text string) (*sizes, error) {
	s := &sizes{}
	if text == "" {
		return s, nil
	}
	return s, json.Unmarshal([]byte(text), &s.rest)
}

func (s *sizes) Next() *remotecommand.TerminalSize {
	if len(s.rest) == 0 {
		select {}
	}
	size := s.rest[0]
	s.rest = s.rest[1:]
	time.Sleep(100 * time.Millisecond)
	return &size
}

func forward(ctx context.Context, o options) error {
	target, err := url.Parse(o.url)
	if err != nil {
		return err
	}
	transport, upgrader, err := spdy.RoundTripperFor(o.config())
	if err != nil {
		return err
	}
	dialer := spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, target)
	if o.protocol == "websocket" {
		if dialer, err = portforward.NewSPDYOverWebsocketDialer(target, o.config()); err != nil {
			return err
		}
	}
	stop, ready := make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	go func() {
		<-ctx.Done()
		if ctx.Err() == context.DeadlineExceeded {
			os.Exit(98)
		}
	}()
	forwarder, err := portforward.New(dialer, []string{o.ports}, stop, ready, os.Stdout, os.Stderr)
	if err != nil {
		return err
	}
	return forwarder.ForwardPorts()
}
