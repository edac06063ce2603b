package main

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"dev.berth/e2e/control-plane/pki"
	"golang.org/x/crypto/bcrypt"
)

func TestUserGetsWhatWasAskedFor(t *testing.T) {
	server := newServer(t)
	claims := server.claims(t, server.ask(t, "alice", "secret", "repository:team/web:pull,push"))
	want := []any{map[string]any{"type": "repository", "name": "team/web", "actions": []any{"pull", "push"}}}
	if !reflect.DeepEqual(claims["access"], want) || claims["sub"] != "alice" || claims["aud"] != tokenService {
		t.Errorf("claims %v", claims)
	}
}

func TestStrangerMayOnlyPullPublicRepositories(t *testing.T) {
	server := newServer(t)
	answer := server.ask(t, "", "", "repository:public/web:pull,push repository:team/web:pull")
	want := []any{map[string]any{"type": "repository", "name": "public/web", "actions": []any{"pull"}}}
	if claims := server.claims(t, answer); !reflect.DeepEqual(claims["access"], want) {
		t.Errorf("access %v", claims["access"])
	}
}

func TestWrongPasswordOrServiceIsRefused(t *testing.T) {
	server := newServer(t)
	for _, user := range []string{"alice", "nobody"} {
		if code := server.ask(t, user, "wrong", "repository:web:pull").Code; code != http.StatusUnauthorized {
			t.Errorf("%s: status %d", user, code)
		}
	}
	recorder := httptest.NewRecorder()
	server.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/token?service=other", nil))
	if recorder.Code != http.StatusBadRequest {
		t.Errorf("status %d", recorder.Code)
	}
}

func newServer(t *testing.T) *tokenServer {
	t.Helper()
	directory := t.TempDir()
	authority, err := pki.OpenAuthority(filepath.Join(directory, "ca"), "test")
	check(t, err)
	check(t, authority.Issue(filepath.Join(directory, "server"), pki.Request{CommonName: "registry", Usage: x509.ExtKeyUsageServerAuth}))
	pair, err := tls.LoadX509KeyPair(filepath.Join(directory, "server.crt"), filepath.Join(directory, "server.key"))
	check(t, err)
	hash, err := bcrypt.GenerateFromPassword([]byte("secret"), bcrypt.MinCost)
	check(t, err)
	return &tokenServer{map[string][]byte{"alice": hash}, pair, time.Now}
}

func (t *tokenServer) ask(test *testing.T, user, password, scope string) *httptest.ResponseRecorder {
	test.Helper()
	query := url.Values{"service": {tokenService}, "scope": {scope}}
	request := httptest.NewRequest(http.MethodGet, "/token?"+query.Encode(), nil)
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	recorder := httptest.NewRecorder()
	t.ServeHTTP(recorder, request)
	return recorder
}

// claims verifies the token in the answer and returns what it says.
func (t *tokenServer) claims(test *testing.T, recorder *httptest.ResponseRecorder) map[string]any {
	test.Helper()
	var answer struct{ Token string }
	check(test, json.Unmarshal(recorder.Body.Bytes(), &answer))
	end := strings.LastIndex(answer.Token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(answer.Token[end+1:])
	check(test, err)
	digest := sha256.Sum256([]byte(answer.Token[:end]))
	key := t.pair.Leaf.PublicKey.(*ecdsa.PublicKey)
	if !ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		test.Fatal("the signature is wrong")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(answer.Token, ".")[1])
	check(test, err)
	var claims map[string]any
	check(test, json.Unmarshal(payload, &claims))
	return claims
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
