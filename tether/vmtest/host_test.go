//go:build vm

package vmtest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"testing"
	"time"

	"berth.dev/tether/boot"
	"berth.dev/tether/link"
)

// linkConn is a session of the host's side: what the scanner passes on.
type linkConn struct {
	net.Conn
	rest []byte
}

func (c *linkConn) Read(b []byte) (int, error) {
	if len(c.rest) > 0 {
		n := copy(b, c.rest)
		c.rest = c.rest[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// dialLink is the host's handshake.
func dialLink(ctx context.Context, path string) (net.Conn, error) {
	var dialer net.Dialer
	connection, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	for ctx.Err() == nil {
		rest, err := handshake(connection)
		if err == nil {
			return &linkConn{Conn: connection, rest: rest}, connection.SetDeadline(time.Time{})
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			_ = connection.Close()
			return nil, err
		}
	}
	_ = connection.Close()
	return nil, ctx.Err()
}

// handshake makes one attempt with a fresh nonce and gives the bytes that came after READY.
func handshake(connection net.Conn) ([]byte, error) {
	var nonce link.Nonce
	if _, err := rand.Read(nonce[:]); err != nil {
		return nil, err
	}
	send := func(kind link.Type) error {
		b := link.Frame{Type: kind, Nonce: nonce}.Bytes()
		_, err := connection.Write(b[:])
		return err
	}
	var acknowledged, ready bool
	var rest []byte
	var failure error
	scanner := link.Scanner{
		OnFrame: func(f link.Frame) {
			switch {
			case f == link.Frame{Type: link.Ack, Nonce: nonce} && !acknowledged:
				acknowledged = true
				failure = send(link.Start)
			case f == link.Frame{Type: link.Ready, Nonce: nonce}:
				ready = true
			}
		},
		OnPayload: func(b []byte) {
			if ready {
				rest = append(rest, b...)
			}
		},
	}
	end := time.Now().Add(2 * time.Second)
	buffer := make([]byte, 4096)
	for !ready && failure == nil {
		if time.Now().After(end) {
			return nil, os.ErrDeadlineExceeded
		}
		if !acknowledged {
			if err := connection.SetDeadline(time.Now().Add(time.Second)); err != nil {
				return nil, err
			}
			if err := send(link.Hello); err != nil {
				return nil, err
			}
		}
		if err := connection.SetReadDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			return nil, err
		}
		n, err := connection.Read(buffer)
		scanner.Feed(buffer[:n])
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, err
		}
	}
	return rest, failure
}

// pki is an authority with a certificate for the machine and one for the host.
type pki struct {
	t         testing.TB
	authority *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newPKI(t testing.TB) *pki {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &pki{t: t, authority: authority, key: key}
}

func (p *pki) issue(name string) (certificate, key []byte) {
	p.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.authority, &private.PublicKey, p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		p.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})
}

func (p *pki) identity() boot.Identity {
	certificate, key := p.issue(vmID)
	return boot.Identity{
		Certificate: string(certificate), Key: string(key),
		Authority: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.authority.Raw})),
	}
}

func (p *pki) client(server string) *tls.Config {
	certificate, key := p.issue("host")
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		p.t.Fatal(fmt.Errorf("host certificate: %w", err))
	}
	roots := x509.NewCertPool()
	roots.AddCert(p.authority)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: server, MinVersion: tls.VersionTLS13}
}

func dialQMP(t testing.TB, path string) net.Conn {
	t.Helper()
	connection, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := connection.SetDeadline(time.Now().Add(bootDeadline)); err != nil {
		t.Fatal(err)
	}
	return connection
}
