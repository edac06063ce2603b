package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	tokenService  = "berth-registry"
	tokenIssuer   = "berth-token-server"
	tokenLifetime = 5 * time.Minute
)

// tokenServer hands out what the Docker registry token protocol calls bearer tokens: a user of the file may pull and
// push everything, anyone else may pull repositories below public/.
type tokenServer struct {
	passwords map[string][]byte // bcrypt
	pair      tls.Certificate   // ECDSA P-256; its issuer is what the registry trusts
	now       func() time.Time
}

// access is one entry of a token, as the registry reads it.
type access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

func (s *settings) startTokenServer(fail context.CancelCauseFunc) (stop func(), err error) {
	passwords, err := readPasswords(s.htpasswd)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(s.path("pki/server.crt"), s.path("pki/server.key"))
	if err != nil {
		return nil, err
	}
	handler := http.NewServeMux()
	handler.Handle("GET /token", &tokenServer{passwords, pair, time.Now})
	server := &http.Server{
		Addr:              strings.TrimPrefix(strings.TrimPrefix(s.url(s.tokenPort), "https://"), "http://"),
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{pair}},
	}
	go func() {
		serve := server.ListenAndServe
		if s.tls {
			serve = func() error { return server.ListenAndServeTLS("", "") }
		}
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			fail(fmt.Errorf("token server: %w", err))
		}
	}()
	return func() { _ = server.Close() }, nil
}

func readPasswords(path string) (map[string][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	passwords := map[string][]byte{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if user, hash, found := strings.Cut(strings.TrimSpace(lines.Text()), ":"); found {
			passwords[user] = []byte(hash)
		}
	}
	return passwords, lines.Err()
}

func (t *tokenServer) ServeHTTP(writer http.ResponseWriter, request *http.Request) {
	user, password, named := request.BasicAuth()
	if named && bcrypt.CompareHashAndPassword(t.passwords[user], []byte(password)) != nil {
		writer.Header().Set("WWW-Authenticate", `Basic realm="berth"`)
		http.Error(writer, `{"details":"incorrect username or password"}`, http.StatusUnauthorized)
		return
	}
	query := request.URL.Query()
	if service := query.Get("service"); service != tokenService {
		http.Error(writer, fmt.Sprintf(`{"details":"service %q is not served here"}`, service), http.StatusBadRequest)
		return
	}
	token, err := t.sign(user, granted(query["scope"], named))
	if err != nil {
		http.Error(writer, err.Error(), http.StatusInternalServerError)
		return
	}
	writer.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(writer).Encode(map[string]any{ // a client that is gone needs no token
		"token": token, "access_token": token,
		"expires_in": int(tokenLifetime.Seconds()), "issued_at": t.now().UTC().Format(time.RFC3339),
	})
}

// granted is what of the scopes ("repository:NAME:ACTION,ACTION ...") is allowed, which may be nothing.
func granted(scopes []string, named bool) []access {
	all := []access{}
	for _, scope := range strings.Fields(strings.Join(scopes, " ")) {
		kind, rest, _ := strings.Cut(scope, ":")
		end := strings.LastIndex(rest, ":") // a name may hold a port
		if end < 0 {
			continue
		}
		name, actions := rest[:end], strings.Split(rest[end+1:], ",")
		if !named {
			if kind != "repository" || !strings.HasPrefix(name, "public/") || !slices.Contains(actions, "pull") {
				continue
			}
			actions = []string{"pull"}
		}
		all = append(all, access{kind, name, actions})
	}
	return all
}

// sign makes a JSON Web Token (ES256) that carries its certificate, by which the registry verifies it.
func (t *tokenServer) sign(subject string, granted []access) (string, error) {
	key, ok := t.pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok {
		return "", errors.New("the signing key is not ECDSA")
	}
	now := t.now()
	header := map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(t.pair.Certificate[0])}}
	claims := map[string]any{
		"iss": tokenIssuer, "sub": subject, "aud": tokenService, "jti": rand.Text(), "access": granted,
		"iat": now.Unix(), "nbf": now.Add(-10 * time.Second).Unix(), "exp": now.Add(tokenLifetime).Unix(),
	}
	var parts []string
	for _, part := range []any{header, claims} {
		encoded, err := json.Marshal(part)
		if err != nil {
			return "", err
		}
		parts = append(parts, base64.RawURLEncoding.EncodeToString(encoded))
	}
	digest := sha256.Sum256([]byte(strings.Join(parts, ".")))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return "", err
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(signature)), "."), nil
}
