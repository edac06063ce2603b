// Package pki keeps a cluster's certificate authorities, keys, certificates and kubeconfigs in files.
//
// Everything is idempotent: what a directory already holds is used again as long as it still fits, so a control
// plane that starts again trusts, and is trusted by, whoever it met before. Keys are ECDSA P-256. Every file is written
// whole or not at all, and only its owner may read it.
package pki

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	authorityLifetime   = 10 * 365 * 24 * time.Hour
	certificateLifetime = 365 * 24 * time.Hour
	// A certificate with less time left is issued anew at the next start.
	renewalMargin = 30 * 24 * time.Hour
	// Clocks of virtual machines lag behind the host's.
	clockSkew = time.Hour
)

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Request says what a certificate is for. Addresses and DNSNames are needed by servers only.
type Request struct {
	CommonName    string
	Organizations []string
	DNSNames      []string
	Addresses     []net.IP
	Usage         x509.ExtKeyUsage
}

// OpenAuthority reads the authority in path.crt and path.key, and makes it when both are missing. An authority of
// which one half is missing or unreadable is an error: replacing it would cut off everyone who trusts it.
func OpenAuthority(path, commonName string) (*Authority, error) {
	certificate, certificateError := readCertificate(path + ".crt")
	key, keyError := readKey(path + ".key")
	if certificateError == nil && keyError == nil {
		return &Authority{certificate, key}, nil
	}
	if !errors.Is(certificateError, fs.ErrNotExist) || !errors.Is(keyError, fs.ErrNotExist) {
		return nil, fmt.Errorf("certificate authority %s is damaged: %w", path, errors.Join(certificateError, keyError))
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: commonName},
		NotAfter:              time.Now().Add(authorityLifetime),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	key, err := EnsureKey(path + ".key")
	if err != nil {
		return nil, err
	}
	if certificate, err = sign(path+".crt", template, template, key, key); err != nil {
		return nil, err
	}
	return &Authority{certificate, key}, nil
}

// Issue makes sure that path.crt and path.key hold a certificate of this authority that fits the request.
func (a *Authority) Issue(path string, request Request) error {
	key, err := EnsureKey(path + ".key")
	if err != nil {
		return err
	}
	present, err := readCertificate(path + ".crt")
	if err == nil && a.fits(present, key, request) {
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = sign(path+".crt", &x509.Certificate{
		Subject:     pkix.Name{CommonName: request.CommonName, Organization: request.Organizations},
		DNSNames:    request.DNSNames,
		IPAddresses: request.Addresses,
		NotAfter:    time.Now().Add(certificateLifetime),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{request.Usage},
	}, a.certificate, key, a.key)
	return err
}

func (a *Authority) fits(certificate *x509.Certificate, key *ecdsa.PrivateKey, request Request) bool {
	return certificate.CheckSignatureFrom(a.certificate) == nil &&
		key.PublicKey.Equal(certificate.PublicKey) &&
		time.Until(certificate.NotAfter) > renewalMargin &&
		certificate.Subject.CommonName == request.CommonName &&
		slices.Equal(certificate.Subject.Organization, request.Organizations) &&
		slices.Equal(certificate.DNSNames, request.DNSNames) &&
		slices.EqualFunc(certificate.IPAddresses, request.Addresses, net.IP.Equal) &&
		slices.Equal(certificate.ExtKeyUsage, []x509.ExtKeyUsage{request.Usage})
}

// EnsureKey reads the PKCS #8 private key in path, and makes it when it is missing.
func EnsureKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := readKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, writePEM(path, "PRIVATE KEY", encoded)
}

// EnsureKeyPair is EnsureKey for path.key, and writes the public half to path.pub.
func EnsureKeyPair(path string) error {
	key, err := EnsureKey(path + ".key")
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	return writePEM(path+".pub", "PUBLIC KEY", encoded)
}

func sign(path string, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-clockSkew)
	encoded, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", path, err)
	}
	if err := writePEM(path, "CERTIFICATE", encoded); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(encoded)
}

func readCertificate(path string) (*x509.Certificate, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certificate, nil
}

func readKey(path string) (*ecdsa.PrivateKey, error) {
	block, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if key, ok := key.(*ecdsa.PrivateKey); ok {
		return key, nil
	}
	return nil, fmt.Errorf("%s: expected an ECDSA key, found %T", path, key)
}

func readPEM(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(content)
	if block == nil {
		return nil, fmt.Errorf("%s: not a PEM file", path)
	}
	return block.Bytes, nil
}

func writePEM(path, kind string, content []byte) error {
	return WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}))
}

// WriteFile replaces path by content, atomically and readable by the owner only. It makes the folders above.
func WriteFile(path string, content []byte) error {
	directory := filepath.Dir(path)
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(directory, "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temporary.Name()))
	}
	return nil
}
