package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"berth.dev/tether/boot"
)

// MakeIdentity gives a VM that came without one a key and a certificate for this boot, and the certificate's SHA-256 in hexadecimal digits,
// by which the control plane will know it. The certificate has the name by which the control plane calls every VM's server: an id may be no
// host name.
func MakeIdentity(id, authority string) (identity boot.Identity, fingerprint string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return identity, "", err
	}
	sum := sha256.Sum256([]byte(id))
	name := "vm-" + hex.EncodeToString(sum[:20]) + ".berth"
	// Its only reader compares it with what it was told, so it needs no dates, and the VM's clock may be wrong.
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return identity, "", fmt.Errorf("make the VM's certificate: %w", err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return identity, "", err
	}
	sum = sha256.Sum256(certificate)
	return boot.Identity{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		Key:         string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})),
		Authority:   authority,
	}, hex.EncodeToString(sum[:]), nil
}
