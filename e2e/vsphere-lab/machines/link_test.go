package machines

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

func uri(text string) *types.VirtualSerialPortURIBackingInfo {
	return &types.VirtualSerialPortURIBackingInfo{
		VirtualDeviceURIBackingInfo: types.VirtualDeviceURIBackingInfo{ServiceURI: text, Direction: "client"},
	}
}

func TestParseRemote(t *testing.T) {
	sum := strings.Repeat("0A:", 19) + "0b"
	for text, wanted := range map[string]Remote{
		"host:1":                   {Network: "tcp", Address: "host:1"},
		"tcp4://192.0.2.1:1":       {Network: "tcp4", Address: "192.0.2.1:1"},
		"TCP6://[2001:db8::1]:1":   {Network: "tcp6", Address: "[2001:db8::1]:1"},
		"telnet://host:1":          {Network: "tcp", Address: "host:1", Telnet: true},
		"ssl://host:1":             {Network: "tcp", Address: "host:1", TLS: &Verification{}},
		"telnets://host:1 #verify": {Network: "tcp", Address: "host:1", Telnet: true, TLS: &Verification{Chain: true}},
		"tcp+ssl://host:1#peerName=vch": {
			Network: "tcp", Address: "host:1", TLS: &Verification{Chain: true, PeerName: "vch"},
		},
		"tcp4+ssl://host:1#thumbprint=" + sum + "&verify": {
			Network: "tcp4", Address: "host:1", TLS: &Verification{Chain: true, Thumbprint: strings.Repeat("0a", 19) + "0b"},
		},
	} {
		got, err := ParseRemote(uri(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got.Network != wanted.Network || got.Address != wanted.Address || got.Telnet != wanted.Telnet ||
			(got.TLS == nil) != (wanted.TLS == nil) || got.TLS != nil && *got.TLS != *wanted.TLS {
			t.Errorf("%s: got %+v", text, got)
		}
	}
	listens, proxied := uri("tcp://:1"), uri("tcp://host:1")
	listens.Direction, proxied.ProxyURI = "server", "telnet://proxy:1"
	for _, backing := range []*types.VirtualSerialPortURIBackingInfo{
		listens, proxied, uri(""), uri("tcp://host"), uri("tcp://:1"), uri("udp://host:1"), uri("tcp://host:1#verify"),
		uri("ssl://host:1#color=red"), uri("ssl://host:1#thumbprint=0a0b"),
	} {
		if _, err := ParseRemote(backing); err == nil {
			t.Errorf("%+v is taken", backing)
		}
	}
}

// line is a link under test with the guest's end of its line.
type line struct {
	net.Conn
	ended chan struct{}
}

func startLink(t *testing.T, dial func(context.Context) (net.Conn, error)) line {
	t.Helper()
	ours, guest := net.Pipe()
	l := line{guest, make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		(&link{line: ours, dial: dial}).run(ctx)
		close(l.ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-l.ended
	})
	_ = guest.SetDeadline(time.Now().Add(10 * time.Second))
	return l
}

// exchange writes on one connection until a word comes out of the other: what is written while nobody is connected is lost.
func exchange(t *testing.T, from io.Writer, to net.Conn, word string) {
	t.Helper()
	_ = to.SetReadDeadline(time.Now().Add(10 * time.Second))
	got := make([]byte, len(word))
	if _, err := from.Write([]byte(word)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, got); err != nil || string(got) != word {
		t.Fatalf("%q came out of the line, not %q: %v", got, word, err)
	}
}

func TestLinkRedials(t *testing.T) {
	far := newFarEnd(t)
	remote := &Remote{Network: "tcp", Address: far.address()}
	refused := 3
	l := startLink(t, func(ctx context.Context) (net.Conn, error) {
		if refused > 0 {
			refused--
			return nil, errors.New("connection refused")
		}
		return remote.Dial(ctx)
	})
	// Nobody is there, and the guest is not held up.
	for range 10 {
		if _, err := l.Write(bytes.Repeat([]byte("lost"), 1024)); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		connection := far.accept()
		exchange(t, connection, l, "to the guest")
		exchange(t, l, connection, "from the guest")
		connection.Close()
	}
	last := far.accept()
	exchange(t, last, l, "again")
	if _, err := l.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if rest, err := io.ReadAll(last); string(rest) != "last words" {
		t.Errorf("the last words are %q: %v", rest, err)
	}
	<-l.ended
}

func TestLinkTelnet(t *testing.T) {
	far := newFarEnd(t)
	remote := &Remote{Network: "tcp", Address: far.address(), Telnet: true}
	l := startLink(t, remote.Dial)
	connection := far.accept()
	greeting := make([]byte, len(telnetGreeting))
	if _, err := io.ReadFull(connection, greeting); err != nil || !bytes.Equal(greeting, telnetGreeting) {
		t.Fatalf("it greets with %v: %v", greeting, err)
	}
	// A refused option, a negotiation and an escaped 255 among the bytes, one at a time.
	for _, b := range []byte("a\xff\xfb\x18b\xff\xfa\x18\x01x\xff\xff\xff\xf0\xff\xffc\xff\xf1d") {
		if _, err := connection.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	got := make([]byte, 5)
	if _, err := io.ReadFull(l, got); err != nil || string(got) != "ab\xffcd" {
		t.Errorf("the guest reads %q: %v", got, err)
	}
	answer := make([]byte, 3)
	if _, err := io.ReadFull(connection, answer); err != nil || string(answer) != "\xff\xfe\x18" {
		t.Errorf("an unknown option is answered with %q: %v", answer, err)
	}
	go func() { _, _ = l.Write([]byte("x\xffy")) }()
	escaped := make([]byte, 4)
	if _, err := io.ReadFull(connection, escaped); err != nil || string(escaped) != "x\xff\xffy" {
		t.Errorf("the guest's bytes come as %q: %v", escaped, err)
	}
}

func TestDialTLS(t *testing.T) {
	certificate := selfSigned(t)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				_, _ = io.Copy(connection, connection)
			}()
		}
	}()
	short, long := sha1.Sum(certificate.Certificate[0]), sha256.Sum256(certificate.Certificate[0])
	for parameters, accepted := range map[string]bool{
		"": true, "#thumbprint=" + hex.EncodeToString(short[:]): true, "#thumbprint=" + hex.EncodeToString(long[:]): true,
		"#thumbprint=" + strings.Repeat("00", 20): false, "#verify": false,
	} {
		remote, err := ParseRemote(uri("ssl://" + listener.Addr().String() + parameters))
		if err != nil {
			t.Fatal(err)
		}
		connection, err := remote.Dial(t.Context())
		if (err == nil) != accepted {
			t.Errorf("with %q: %v", parameters, err)
		}
		if err == nil {
			exchange(t, connection, connection, "hello")
			connection.Close()
		}
	}
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	content, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{content}, PrivateKey: key}
}
