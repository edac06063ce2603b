package pki

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestAuthorityIsKeptAcrossStarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pki", "ca")
	first := must(OpenAuthority(path, "berth"))(t)
	second := must(OpenAuthority(path, "berth"))(t)
	if !first.certificate.Equal(second.certificate) {
		t.Error("a second start made a new authority")
	}
}

func TestHalfAnAuthorityIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ca")
	must(OpenAuthority(path, "berth"))(t)
	check(t, os.Remove(path+".key"))
	if _, err := OpenAuthority(path, "berth"); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("a missing key must be refused, got %v", err)
	}
}

func TestServerIsVerifiedByNameAndAddress(t *testing.T) {
	directory := t.TempDir()
	authority := must(OpenAuthority(filepath.Join(directory, "ca"), "berth"))(t)
	path := filepath.Join(directory, "server")
	check(t, authority.Issue(path, serverRequest("10.0.0.1")))
	certificate := must(readCertificate(path + ".crt"))(t)
	roots := x509.NewCertPool()
	roots.AddCert(authority.certificate)
	for _, name := range []string{"kubernetes.default.svc", "10.0.0.1"} {
		if _, err := certificate.Verify(x509.VerifyOptions{Roots: roots, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := certificate.VerifyHostname("10.0.0.2"); err == nil {
		t.Error("a foreign address passed")
	}
	must(tls.LoadX509KeyPair(path+".crt", path+".key"))(t)
}

func TestCertificateIsIssuedAnewOnlyWhenItNoLongerFits(t *testing.T) {
	directory := t.TempDir()
	authority := must(OpenAuthority(filepath.Join(directory, "ca"), "berth"))(t)
	path := filepath.Join(directory, "server")
	issue := func(authority *Authority, address string) string {
		t.Helper()
		check(t, authority.Issue(path, serverRequest(address)))
		return string(must(os.ReadFile(path + ".crt"))(t))
	}
	first := issue(authority, "10.0.0.1")
	if issue(authority, "10.0.0.1") != first {
		t.Error("the same request must keep the certificate")
	}
	moved := issue(authority, "10.0.0.2")
	if moved == first {
		t.Error("another address needs another certificate")
	}
	stranger := must(OpenAuthority(filepath.Join(directory, "other"), "berth"))(t)
	if issue(stranger, "10.0.0.2") == moved {
		t.Error("another authority must sign anew")
	}
}

func TestKubeconfigCarriesWhoAndWhere(t *testing.T) {
	directory := t.TempDir()
	authority := must(OpenAuthority(filepath.Join(directory, "ca"), "berth"))(t)
	path := filepath.Join(directory, "kubeconfig")
	request := Request{CommonName: "system:node:vch-1", Organizations: []string{"system:nodes"}}
	check(t, authority.IssueKubeconfig(path, filepath.Join(directory, "client"), "https://10.0.0.1:6443", request))
	content := string(must(os.ReadFile(path))(t))
	if !strings.Contains(content, "server: https://10.0.0.1:6443\n") {
		t.Error("the server is missing")
	}
	field := func(name string) []byte {
		t.Helper()
		match := regexp.MustCompile(name + `: (\S+)`).FindStringSubmatch(content)
		if match == nil {
			t.Fatalf("%s is missing", name)
		}
		return must(base64.StdEncoding.DecodeString(match[1]))(t)
	}
	pair := must(tls.X509KeyPair(field("client-certificate-data"), field("client-key-data")))(t)
	subject := pair.Leaf.Subject
	if subject.CommonName != "system:node:vch-1" || subject.Organization[0] != "system:nodes" {
		t.Errorf("subject %v", subject)
	}
	if !strings.Contains(string(field("client-key-data")), "EC PRIVATE KEY") {
		t.Error("clients that tell the kind of key by its heading need SEC 1")
	}
}

func TestNothingIsReadableByOthers(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "pki")
	authority := must(OpenAuthority(filepath.Join(directory, "ca"), "berth"))(t)
	check(t, authority.Issue(filepath.Join(directory, "nodes", "server"), serverRequest("10.0.0.1")))
	check(t, filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		information, err := entry.Info()
		if err == nil && information.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, information.Mode())
		}
		return err
	}))
}

func serverRequest(address string) Request {
	return Request{
		CommonName: "kube-apiserver",
		DNSNames:   []string{"kubernetes.default.svc"},
		Addresses:  []net.IP{net.ParseIP(address)},
		Usage:      x509.ExtKeyUsageServerAuth,
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		check(t, err)
		return value
	}
}
