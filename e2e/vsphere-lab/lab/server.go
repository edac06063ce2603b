package lab

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Server serves a lab over TLS, and can be away for a while.
type Server struct {
	lab     *Lab
	config  *tls.Config
	address string

	mu     sync.Mutex
	http   *http.Server
	back   *time.Timer
	closed bool
}

// Serve opens the port; 0 chooses a free one.
func Serve(lab *Lab, listen string, certificate tls.Certificate) (*Server, error) {
	s := &Server{lab: lab, address: listen, config: &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
	}}
	s.mu.Lock()
	defer s.mu.Unlock()
	lab.server = s
	return s, s.open()
}

// Address is the one that is served, with its port.
func (s *Server) Address() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.address
}

func (s *Server) open() error {
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.address = listener.Addr().String()
	s.http = &http.Server{
		Handler: s.lab.gate, TLSConfig: s.config.Clone(), ReadHeaderTimeout: time.Minute,
		ErrorLog: log.New(io.Discard, "", 0), // of handshakes and connections that tests break
	}
	go func(server *http.Server) { _ = server.ServeTLS(listener, "", "") }(s.http)
	return nil
}

// Close ends the service and all connections.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.back != nil {
		s.back.Stop()
	}
	return s.http.Close()
}

// Outage closes the port or hangs for a while.
func (l *Lab) Outage(mode string, duration time.Duration) error {
	switch mode {
	case "hang":
		l.gate.Hang(duration)
		return nil
	case "refuse":
		return l.server.away(duration)
	}
	return fmt.Errorf("unknown mode %q: it is refuse or hang", mode)
}

func (s *Server) away(duration time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.back != nil {
		return errors.New("the vCenter is away already")
	}
	err := s.http.Close()
	s.back = time.AfterFunc(duration, s.comeBack)
	return err
}

func (s *Server) comeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.back = nil
	if s.closed {
		return
	}
	if err := s.open(); err != nil { // somebody has the port just now
		s.back = time.AfterFunc(100*time.Millisecond, s.comeBack)
	}
}
