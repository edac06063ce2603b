// Command registry runs Debian's docker-registry for tests: with a configuration of its own, and, when asked, TLS, basic
// authentication or a token server. It prints "ready" once images can be pushed, and stops on SIGTERM or SIGINT.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"dev.berth/e2e/control-plane/pki"
	"golang.org/x/crypto/bcrypt"
)

const (
	readyTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

type settings struct {
	directory string
	address   netip.Addr
	port      int
	tokenPort int
	htpasswd  string
	tls       bool
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	var parsed settings
	var hashed string
	flags := flag.NewFlagSet("registry", flag.ExitOnError)
	flags.StringVar(&parsed.directory, "directory", "", "`folder` of all state (required); images in it are served again at the next start")
	flags.TextVar(&parsed.address, "address", netip.Addr{}, "`IP` address to listen on (required)")
	flags.IntVar(&parsed.port, "port", 5000, "`port` of the registry")
	flags.BoolVar(&parsed.tls, "tls", false, "serve HTTPS; the authority to trust is trust/ca.crt in the directory")
	flags.StringVar(&parsed.htpasswd, "htpasswd", "", "ask for a user and password of this `file` (bcrypt)")
	flags.IntVar(&parsed.tokenPort, "token-server", 0, "ask for tokens, handed out on this `port` to the users of --htpasswd; anyone may pull public/...")
	flags.StringVar(&hashed, "hash-password", "", "print a line of --htpasswd for this `user` and the password on standard input, and end")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if hashed != "" {
		return hashPassword(hashed)
	}
	if err := parsed.validate(flags.Args()); err != nil {
		return err
	}
	return parsed.serve()
}

func (s *settings) validate(rest []string) error {
	isPort := func(number int) bool { return number > 0 && number < 1<<16 }
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q: every setting is a --flag", rest[0])
	case s.directory == "":
		return errors.New("--directory is missing: name the folder for the images")
	case !s.address.IsValid():
		return errors.New("--address is missing: name one IP address of this machine, such as 10.99.0.1")
	case !isPort(s.port):
		return fmt.Errorf("--port %d: expected 1 to 65535", s.port)
	case s.tokenPort != 0 && (!isPort(s.tokenPort) || s.tokenPort == s.port):
		return fmt.Errorf("--token-server %d: expected 1 to 65535, and not --port", s.tokenPort)
	case s.tokenPort != 0 && s.htpasswd == "":
		return errors.New("--token-server needs --htpasswd: the users it hands tokens to")
	}
	var err error
	if s.htpasswd != "" {
		if s.htpasswd, err = filepath.Abs(s.htpasswd); err != nil {
			return err
		}
		if _, err = os.Stat(s.htpasswd); err != nil {
			return fmt.Errorf("--htpasswd: %w", err)
		}
	}
	s.directory, err = filepath.Abs(s.directory)
	return err
}

func hashPassword(user string) error {
	input := bufio.NewScanner(os.Stdin)
	if !input.Scan() {
		return errors.New("--hash-password: no password on standard input")
	}
	hash, err := bcrypt.GenerateFromPassword(input.Bytes(), bcrypt.DefaultCost)
	if err == nil {
		fmt.Printf("%s:%s\n", user, hash)
	}
	return err
}

func (s *settings) serve() error {
	syscall.Umask(0o077)
	if err := s.prepare(); err != nil {
		return err
	}
	signalled, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	ctx, fail := context.WithCancelCause(signalled)
	defer fail(nil)
	if s.tokenPort != 0 {
		stop, err := s.startTokenServer(fail)
		if err != nil {
			return err
		}
		defer stop()
	}
	command := exec.CommandContext(ctx, "docker-registry", "serve", s.path("config.json"))
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopTimeout
	// The registry must not outlive us, however we end. The signal is sent when the thread that started it ends.
	runtime.LockOSThread()
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("%w: install the package docker-registry", err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- command.Wait()
		fail(errors.New("docker-registry ended by itself: see above"))
	}()
	err := s.awaitReady(ctx)
	if err == nil {
		fmt.Printf("ready %s\n", s.url(s.port))
		<-ctx.Done()
		err = context.Cause(ctx)
	}
	if signalled.Err() != nil {
		err = nil
	}
	fail(nil)
	<-ended
	return err
}

func (s *settings) path(name string) string {
	return filepath.Join(s.directory, name)
}

func (s *settings) url(port int) string {
	scheme := "http"
	if s.tls {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(s.address.String(), strconv.Itoa(port))
}

// prepare makes certificates and the configuration; what is there already is used again.
func (s *settings) prepare() error {
	authority, err := pki.OpenAuthority(s.path("pki/ca"), "berth-registry")
	if err != nil {
		return err
	}
	server := pki.Request{
		CommonName: "registry",
		DNSNames:   []string{"localhost"},
		Addresses:  []net.IP{s.address.AsSlice(), net.IPv4(127, 0, 0, 1)},
		Usage:      x509.ExtKeyUsageServerAuth,
	}
	// A folder of its own: clients that are given one take every key in it for theirs.
	if err := pki.WriteFile(s.path("trust/ca.crt"), authority.PEM()); err != nil {
		return err
	}
	// Serves TLS and signs tokens.
	if err := authority.Issue(s.path("pki/server"), server); err != nil {
		return err
	}
	configuration, err := json.MarshalIndent(s.configuration(), "", "  ")
	if err != nil {
		return err
	}
	return pki.WriteFile(s.path("config.json"), configuration)
}

type object = map[string]any

// configuration is docker-registry's, as JSON, which its YAML reader understands.
func (s *settings) configuration() object {
	http := object{"addr": net.JoinHostPort(s.address.String(), strconv.Itoa(s.port)), "secret": rand.Text()}
	if s.tls {
		http["tls"] = object{"certificate": s.path("pki/server.crt"), "key": s.path("pki/server.key")}
	}
	configuration := object{
		"version": 0.1,
		"log":     object{"level": "error", "accesslog": object{"disabled": true}},
		"storage": object{"filesystem": object{"rootdirectory": s.path("storage")}, "delete": object{"enabled": true}},
		"http":    http,
	}
	switch {
	case s.tokenPort != 0:
		configuration["auth"] = object{"token": object{
			"realm": s.url(s.tokenPort) + "/token", "service": tokenService, "issuer": tokenIssuer, "rootcertbundle": s.path("trust/ca.crt"),
		}}
	case s.htpasswd != "":
		configuration["auth"] = object{"htpasswd": object{"realm": "berth", "path": s.htpasswd}}
	}
	return configuration
}

// awaitReady waits until the registry answers, be it that it wants to know who asks.
func (s *settings) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	client, err := s.client()
	if err != nil {
		return err
	}
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(s.port)+"/v2/", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			err = response.Body.Close()
			if response.StatusCode == http.StatusOK || response.StatusCode == http.StatusUnauthorized {
				return err
			}
			err = fmt.Errorf("%s", response.Status)
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w (last answer: %v)", context.Cause(ctx), err)
		}
	}
}

func (s *settings) client() (*http.Client, error) {
	roots := x509.NewCertPool()
	authority, err := os.ReadFile(s.path("trust/ca.crt"))
	if err != nil {
		return nil, err
	}
	roots.AppendCertsFromPEM(authority)
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}}, nil
}
