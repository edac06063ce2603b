package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"dev.berth/e2e/control-plane/pki"
	"dev.berth/e2e/vsphere-lab/lab"
)

// password reads the administrator's, and makes one at the first start when no file is named.
func (s *settings) password() (string, error) {
	if s.passwordFile == "" {
		s.passwordFile = filepath.Join(s.directory, "password")
		if _, err := os.Stat(s.passwordFile); errors.Is(err, fs.ErrNotExist) {
			if err := os.WriteFile(s.passwordFile, []byte(rand.Text()+"\n"), 0o600); err != nil {
				return "", err
			}
		}
	}
	text, err := os.ReadFile(s.passwordFile)
	if err != nil {
		return "", err
	}
	password := strings.TrimRight(string(text), "\r\n")
	if password == "" {
		return "", fmt.Errorf("%s holds no password", s.passwordFile)
	}
	return password, nil
}

// certificate gives the server's, by an authority of the lab's own in DIR/trust/ca.crt.
func (s *settings) certificate(host string) (tls.Certificate, error) {
	var none tls.Certificate
	trust := filepath.Join(s.directory, "trust")
	if err := os.MkdirAll(trust, 0o700); err != nil {
		return none, err
	}
	authority, err := pki.OpenAuthority(filepath.Join(trust, "ca"), "vsphere-lab")
	if err != nil {
		return none, err
	}
	request := pki.Request{CommonName: host, DNSNames: []string{"localhost"}, Usage: x509.ExtKeyUsageServerAuth}
	if address := net.ParseIP(host); address != nil {
		request.Addresses = []net.IP{address}
	} else {
		request.DNSNames = append(request.DNSNames, host)
	}
	path := filepath.Join(trust, "server")
	if err := authority.Issue(path, request); err != nil {
		return none, err
	}
	return tls.LoadX509KeyPair(path+".crt", path+".key")
}

func (s *settings) serve(ctx context.Context, vcenter *lab.Lab, started time.Time) error {
	host, _, err := net.SplitHostPort(s.listen)
	if err != nil {
		return err
	}
	certificate, err := s.certificate(host)
	if err != nil {
		return err
	}
	server, err := lab.Serve(vcenter, s.listen, certificate)
	if err != nil {
		return err
	}
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, server.Close())
	}
	secret := rand.Text()
	control := &http.Server{Handler: vcenter.Control(secret), ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- control.Serve(door) }()
	close := func() error { return errors.Join(server.Close(), control.Close()) }
	if err := s.announce("https://"+server.Address(), fmt.Sprintf("http://%s/%s", door.Addr(), secret), certificate); err != nil {
		return errors.Join(err, close())
	}
	fmt.Printf("ready https://%s in %.1f s\n", server.Address(), time.Since(started).Seconds())
	select {
	case <-ctx.Done():
		return errors.Join(os.Remove(filepath.Join(s.directory, "lab.json")), close())
	case err := <-failed:
		return errors.Join(err, close())
	}
}

// announce writes lab.json, whole or not at all.
func (s *settings) announce(url, control string, certificate tls.Certificate) error {
	thumbprint := sha256.Sum256(certificate.Certificate[0])
	pairs := strings.ToUpper(hex.EncodeToString(thumbprint[:]))
	var colons []string
	for i := 0; i < len(pairs); i += 2 {
		colons = append(colons, pairs[i:i+2])
	}
	text, err := json.MarshalIndent(map[string]any{
		"url":          url,
		"control":      control,
		"caFile":       filepath.Join(s.directory, "trust", "ca.crt"),
		"thumbprint":   strings.Join(colons, ":"),
		"user":         s.user,
		"passwordFile": s.passwordFile,
		"pid":          os.Getpid(),
	}, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(s.directory, "lab.json")
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
