package machines

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// Remote is the far end of a network serial port.
type Remote struct {
	// Network is tcp, tcp4 or tcp6; Address is host:port.
	Network, Address string
	// Telnet wraps the bytes into that protocol.
	Telnet bool
	// TLS is nil for a connection in clear.
	TLS *Verification
}

// Verification is how the peer of a TLS connection is checked. As on ESXi it is not, when nothing is given.
type Verification struct {
	// Thumbprint is the SHA-1 or SHA-256 of the certificate, in hexadecimal digits, or empty.
	Thumbprint string
	// Chain checks the certificate's chain against the host's authorities and its name against PeerName.
	Chain    bool
	PeerName string
}

// schemes are those of VirtualSerialPortURIBackingInfo.serviceURI.
var schemes = map[string]struct {
	network     string
	telnet, tls bool
}{
	"": {network: "tcp"}, "tcp": {network: "tcp"}, "tcp4": {network: "tcp4"}, "tcp6": {network: "tcp6"},
	"ssl": {network: "tcp", tls: true}, "tcp+ssl": {network: "tcp", tls: true},
	"tcp4+ssl": {network: "tcp4", tls: true}, "tcp6+ssl": {network: "tcp6", tls: true},
	"telnet": {network: "tcp", telnet: true}, "telnets": {network: "tcp", telnet: true, tls: true},
}

// ParseRemote reads the backing of a network serial port that dials out.
func ParseRemote(backing *types.VirtualSerialPortURIBackingInfo) (*Remote, error) {
	switch {
	case backing.ProxyURI != "":
		return nil, errors.New("it has a proxyURI: the lab has no serial port concentrator")
	case backing.Direction != string(types.VirtualDeviceURIBackingOptionDirectionClient):
		return nil, fmt.Errorf("its direction is %q: the lab's hosts dial out (client) and never listen", backing.Direction)
	}
	uri, parameters, _ := strings.Cut(backing.ServiceURI, "#")
	uri = strings.TrimSpace(uri)
	name, address, ok := strings.Cut(uri, "://")
	if !ok {
		name, address = "", uri
	}
	scheme, known := schemes[strings.ToLower(name)]
	if !known {
		return nil, fmt.Errorf("its serviceURI %q has the unknown scheme %q", backing.ServiceURI, name)
	}
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("its serviceURI %q names no host and port", backing.ServiceURI)
	}
	r := &Remote{Network: scheme.network, Address: address, Telnet: scheme.telnet}
	if !scheme.tls {
		if parameters != "" {
			return nil, fmt.Errorf("its serviceURI %q has parameters of TLS and no TLS", backing.ServiceURI)
		}
		return r, nil
	}
	var err error
	r.TLS, err = parseVerification(parameters)
	return r, err
}

func parseVerification(parameters string) (*Verification, error) {
	v := &Verification{}
	for part := range strings.SplitSeq(parameters, "&") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "":
		case "verify":
			v.Chain = true
		case "peerName":
			v.Chain, v.PeerName = true, value
		case "thumbprint":
			v.Thumbprint = strings.ToLower(strings.ReplaceAll(value, ":", ""))
			if raw, err := hex.DecodeString(v.Thumbprint); err != nil || len(raw) != sha1.Size && len(raw) != sha256.Size {
				return nil, fmt.Errorf("the thumbprint %q of its serviceURI is neither SHA-1 nor SHA-256", value)
			}
		default:
			return nil, fmt.Errorf("its serviceURI has the unknown parameter %q", key)
		}
	}
	return v, nil
}

// Dial connects as a host does.
func (r *Remote) Dial(ctx context.Context) (net.Conn, error) {
	connection, err := (&net.Dialer{}).DialContext(ctx, r.Network, r.Address)
	if err != nil {
		return nil, err
	}
	if r.TLS != nil {
		secured := tls.Client(connection, r.TLS.config(r.Address))
		if err := secured.HandshakeContext(ctx); err != nil {
			connection.Close()
			return nil, err
		}
		connection = secured
	}
	if r.Telnet {
		return newTelnet(connection)
	}
	return connection, nil
}

func (v *Verification) config(address string) *tls.Config {
	host, _, _ := net.SplitHostPort(address)
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, InsecureSkipVerify: !v.Chain}
	if v.PeerName != "" {
		config.ServerName = v.PeerName
	}
	if v.Thumbprint != "" {
		config.VerifyConnection = func(state tls.ConnectionState) error { return v.compare(state.PeerCertificates[0].Raw) }
	}
	return config
}

// compare takes the thumbprint as public: it is no secret, so the time it takes may tell.
func (v *Verification) compare(certificate []byte) error {
	short, long := sha1.Sum(certificate), sha256.Sum256(certificate)
	if v.Thumbprint != hex.EncodeToString(short[:]) && v.Thumbprint != hex.EncodeToString(long[:]) {
		return fmt.Errorf("the peer's certificate has the thumbprint %x and not the one of the serviceURI", long)
	}
	return nil
}
