package front

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	vapi "github.com/vmware/govmomi/vapi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// REST answers /api: the negotiation of releases, sessions, which are those of VI/JSON, and tags. The older /rest is the
// simulator's own, with sessions of its own, and the same tags.
type REST struct {
	dispatcher *dispatch.Dispatcher
	releases   []string
	tags       *tagging
	old        http.Handler
}

// NewREST makes the endpoint.
func NewREST(dispatcher *dispatch.Dispatcher, releases []string, service *simulator.Service) *REST {
	patterns, handler := vapi.New(service.Listen, service.Context.Map)
	service.Handle(patterns[0], handler) // the simulator asks it for the tags of objects
	return &REST{dispatcher: dispatcher, releases: releases, old: handler, tags: &tagging{handler: handler, user: service.Listen.User}}
}

// Register adds the paths.
func (s *REST) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/vcenter/system", s.hello)
	mux.HandleFunc("POST /api/session", s.login)
	mux.HandleFunc("GET /api/session", s.authenticated(s.session))
	mux.HandleFunc("DELETE /api/session", s.authenticated(s.logout))
	mux.HandleFunc("/api/cis/tagging/", s.authenticated(func(w http.ResponseWriter, r *http.Request, _ string) { s.tags.ServeHTTP(w, r) }))
	mux.Handle("/rest/", s.old)
}

// hello negotiates the release: the newest of the client's that the server knows too, "" when there is none.
func (s *REST) hello(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("action") != "hello" {
		refuseREST(w, http.StatusBadRequest, "INVALID_ARGUMENT", "the only action here is hello")
		return
	}
	var hello struct {
		Releases []string `json:"api_releases"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&hello); err != nil || len(hello.Releases) == 0 {
		refuseREST(w, http.StatusBadRequest, "INVALID_ARGUMENT", `hello wants {"api_releases":[…]}`)
		return
	}
	chosen := ""
	for _, release := range s.releases {
		if slices.Contains(hello.Releases, release) {
			chosen = release
		}
	}
	writeJSON(w, http.StatusOK, map[string]string{"api_release": chosen})
}

func (s *REST) login(w http.ResponseWriter, r *http.Request) {
	// The lab's tokens are the base64 of USER:PASSWORD.
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		r.Header.Set("Authorization", "Basic "+token)
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		refuseREST(w, http.StatusUnauthorized, "UNAUTHENTICATED", "Authorization: Basic or Bearer is missing")
		return
	}
	manager := types.ManagedObjectReference{Type: "SessionManager", Value: "SessionManager"}
	call := &dispatch.Call{Method: "Login", This: manager, Body: &types.Login{This: manager, UserName: user, Password: password}}
	response, headers := s.dispatcher.Do(r, "", call)
	if interrupted, ok := response.(*dispatch.Interrupted); ok {
		interrupted.Answer(w)
		return
	}
	if _, ok := response.(*methods.LoginBody); !ok || response.Fault() != nil {
		refuseREST(w, http.StatusUnauthorized, "UNAUTHENTICATED", "Authentication required.")
		return
	}
	session := sessionOf(headers)
	w.Header().Set(SessionHeader, session)
	writeJSON(w, http.StatusCreated, session)
}

func (s *REST) authenticated(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		user, ok := s.dispatcher.Authenticated(r, r.Header.Get(SessionHeader))
		if !ok {
			refuseREST(w, http.StatusUnauthorized, "UNAUTHENTICATED", "This method requires authentication.")
			return
		}
		next(w, r, user)
	}
}

func (s *REST) session(w http.ResponseWriter, _ *http.Request, user string) {
	writeJSON(w, http.StatusOK, map[string]string{"user": user})
}

func (s *REST) logout(w http.ResponseWriter, r *http.Request, _ string) {
	manager := types.ManagedObjectReference{Type: "SessionManager", Value: "SessionManager"}
	s.dispatcher.Do(r, r.Header.Get(SessionHeader), &dispatch.Call{Method: "Logout", This: manager, Body: &types.Logout{This: manager}})
	w.WriteHeader(http.StatusNoContent)
}

func refuseREST(w http.ResponseWriter, status int, kind, message string) {
	writeJSON(w, status, map[string]any{
		"error_type": kind,
		"messages":   []map[string]any{{"id": "lab", "default_message": message, "args": []string{}}},
	})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
