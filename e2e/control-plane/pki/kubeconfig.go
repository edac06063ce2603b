package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"text/template"
)

var kubeconfigTemplate = template.Must(template.New("kubeconfig").Parse(`apiVersion: v1
kind: Config
clusters:
- name: berth
  cluster:
    server: {{.Server}}
    certificate-authority-data: {{.Authority}}
users:
- name: {{.User}}
  user:
    client-certificate-data: {{.Certificate}}
    client-key-data: {{.Key}}
contexts:
- name: berth
  context:
    cluster: berth
    user: {{.User}}
current-context: berth
`))

// IssueKubeconfig makes sure that path is a kubeconfig by which the request's common name, as a client of server,
// proves who it is; its certificate and key are also in credentials.crt and credentials.key. An unchanged file is not written again.
func (a *Authority) IssueKubeconfig(path, credentials, server string, request Request) error {
	request.Usage = x509.ExtKeyUsageClientAuth
	if err := a.Issue(credentials, request); err != nil {
		return err
	}
	certificate, err := os.ReadFile(credentials + ".crt")
	if err != nil {
		return err
	}
	key, err := encodeClientKey(credentials + ".key")
	if err != nil {
		return err
	}
	var content bytes.Buffer
	err = kubeconfigTemplate.Execute(&content, map[string]string{
		"Server":      server,
		"User":        request.CommonName,
		"Authority":   base64.StdEncoding.EncodeToString(a.PEM()),
		"Certificate": base64.StdEncoding.EncodeToString(certificate),
		"Key":         base64.StdEncoding.EncodeToString(key),
	})
	if err != nil {
		return err
	}
	if present, err := os.ReadFile(path); err == nil && bytes.Equal(present, content.Bytes()) {
		return nil
	}
	return WriteFile(path, content.Bytes())
}

// PEM is the authority's own certificate.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// A kubeconfig carries its key in the older SEC 1 form ("EC PRIVATE KEY"): some clients learn from that heading which
// kind of key it is, and take PKCS #8 for RSA.
func encodeClientKey(path string) ([]byte, error) {
	key, err := readKey(path)
	if err != nil {
		return nil, err
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded}), nil
}
