package server

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"testing"
)

func TestAnIdentityIsKnownByItsFingerprint(t *testing.T) {
	identity, fingerprint, err := MakeIdentity("vm-1", "CA")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair([]byte(identity.Certificate), []byte(identity.Key))
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(pair.Certificate[0]); fingerprint != hex.EncodeToString(sum[:]) {
		t.Errorf("the fingerprint is %q", fingerprint)
	}
	if identity.Authority != "CA" || pair.Leaf.VerifyHostname("vm-2d62b0035f348790d3b99c33de8058c46bc32f90.berth") != nil {
		t.Errorf("the identity is %+v", identity)
	}
}
