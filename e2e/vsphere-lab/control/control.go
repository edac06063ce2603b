// Package control is the door by which tests make the lab misbehave: HTTP with JSON, on a loopback listener of its own that
// stays open while the vCenter is away.
package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"dev.berth/e2e/vsphere-lab/faults"
)

// Vcenter is what the door opens on.
type Vcenter interface {
	// Outage takes the vCenter away for a while: "refuse" closes its port, "hang" accepts connections and answers nothing.
	Outage(mode string, duration time.Duration) error
	// SetLatency adds a delay to every request of a protocol: soap, json, rest or folder.
	SetLatency(map[string]time.Duration) error
	// ExpireSessions ends all sessions.
	ExpireSessions()
	// AddUser lets one more user log in, who may do nothing until a permission says so.
	AddUser(name, password string) error
	// FailHost makes a host die with all that runs on it, RecoverHost brings it back. The name is the host's.
	FailHost(name string) error
	RecoverHost(name string) error
}

// Handler serves the door under a path that nobody can guess.
func Handler(secret string, vcenter Vcenter, rules *faults.Rules) http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, serve func(*http.Request) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /"+secret+path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := serve(r)
			w.Header().Set("Content-Type", "application/json")
			if err != nil {
				w.WriteHeader(http.StatusBadRequest)
				answer = map[string]string{"error": err.Error()}
			}
			_ = json.NewEncoder(w).Encode(answer)
		})
	}
	handle("POST /faults", func(r *http.Request) (any, error) {
		var rule faults.Rule
		if err := read(r, &rule); err != nil {
			return nil, err
		}
		id, err := rules.Add(rule)
		return map[string]int{"id": id}, err
	})
	handle("GET /faults", func(*http.Request) (any, error) { return rules.All(), nil })
	handle("DELETE /faults", func(*http.Request) (any, error) { rules.Clear(); return done, nil })
	handle("GET /calls", func(*http.Request) (any, error) { return rules.Calls(), nil })
	handle("DELETE /calls", func(*http.Request) (any, error) { rules.ResetCalls(); return done, nil })
	handle("PUT /latency", func(r *http.Request) (any, error) {
		var milliseconds map[string]int
		if err := read(r, &milliseconds); err != nil {
			return nil, err
		}
		delays := map[string]time.Duration{}
		for protocol, ms := range milliseconds {
			delays[protocol] = time.Duration(ms) * time.Millisecond
		}
		return done, vcenter.SetLatency(delays)
	})
	handle("POST /outage", func(r *http.Request) (any, error) {
		outage := struct {
			Mode    string  `json:"mode"`
			Seconds float64 `json:"seconds"`
		}{Mode: "refuse"}
		if err := read(r, &outage); err != nil {
			return nil, err
		}
		if outage.Seconds <= 0 {
			return nil, errors.New("an outage has more than 0 seconds")
		}
		return done, vcenter.Outage(outage.Mode, time.Duration(outage.Seconds*float64(time.Second)))
	})
	handle("POST /users", func(r *http.Request) (any, error) {
		var user struct{ Name, Password string }
		if err := read(r, &user); err != nil {
			return nil, err
		}
		return done, vcenter.AddUser(user.Name, user.Password)
	})
	handle("POST /sessions/expire", func(*http.Request) (any, error) { vcenter.ExpireSessions(); return done, nil })
	handle("POST /hosts/{name}/fail", func(r *http.Request) (any, error) { return done, vcenter.FailHost(r.PathValue("name")) })
	handle("POST /hosts/{name}/recover", func(r *http.Request) (any, error) { return done, vcenter.RecoverHost(r.PathValue("name")) })
	return mux
}

var done = map[string]bool{"done": true}

func read(r *http.Request, target any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(target); err != nil {
		return fmt.Errorf("cannot read the request: %w", err)
	}
	return nil
}
