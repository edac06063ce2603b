package front

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
)

const (
	newTags     = "/api/cis/tagging/"
	oldTags     = "/rest/com/vmware/cis/tagging/"
	oldSession  = "/rest/com/vmware/cis/session"
	association = "tag-association"
)

// tagging translates the tags of /api to the simulator's of /rest: there, bodies are wrapped in what they are for, and
// answers in "value".
type tagging struct {
	handler http.Handler
	user    *url.Userinfo

	mu      sync.Mutex
	session string
}

func (t *tagging) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, err := t.translate(r)
	if err != nil {
		refuseREST(w, http.StatusBadRequest, "INVALID_ARGUMENT", err.Error())
		return
	}
	answer := t.ask(request)
	if answer.Code == http.StatusUnauthorized { // the session became old
		t.mu.Lock()
		t.session = ""
		t.mu.Unlock()
		if request, err = t.translate(r); err == nil {
			answer = t.ask(request)
		}
	}
	t.answer(w, r, answer)
}

func (t *tagging) translate(r *http.Request) (*http.Request, error) {
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(data))
	path := strings.TrimPrefix(r.URL.Path, newTags)
	kind, id, named := strings.Cut(path, "/")
	target := oldTags + kind
	if named {
		target += "/id:" + id
	}
	if action := r.URL.Query().Get("action"); action != "" {
		target += "?~action=" + url.QueryEscape(action)
	}
	wrapper := ""
	switch {
	case kind == association:
	case r.Method == http.MethodPost && !named:
		wrapper = "create_spec"
	case r.Method == http.MethodPatch:
		wrapper = "update_spec"
	}
	if wrapper != "" {
		if !json.Valid(data) {
			return nil, errors.New("the body is not JSON")
		}
		if data, err = json.Marshal(map[string]json.RawMessage{wrapper: data}); err != nil {
			return nil, err
		}
	}
	return http.NewRequestWithContext(r.Context(), r.Method, target, bytes.NewReader(data))
}

// ask sends a request in a session of the lab's own.
func (t *tagging) ask(request *http.Request) *httptest.ResponseRecorder {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.session == "" {
		login := httptest.NewRequest(http.MethodPost, oldSession, nil)
		password, _ := t.user.Password()
		login.SetBasicAuth(t.user.Username(), password)
		recorder := httptest.NewRecorder()
		t.handler.ServeHTTP(recorder, login)
		var session struct{ Value string }
		_ = json.Unmarshal(recorder.Body.Bytes(), &session)
		t.session = session.Value
	}
	request.Header.Set(SessionHeader, t.session)
	recorder := httptest.NewRecorder()
	t.handler.ServeHTTP(recorder, request)
	return recorder
}

func (t *tagging) answer(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
	if answer.Code >= http.StatusBadRequest {
		refuseREST(w, answer.Code, strings.ToUpper(strings.ReplaceAll(http.StatusText(answer.Code), " ", "_")), answer.Body.String())
		return
	}
	var wrapped struct{ Value json.RawMessage }
	if err := json.Unmarshal(answer.Body.Bytes(), &wrapped); err != nil || len(wrapped.Value) == 0 || string(wrapped.Value) == "null" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	status := http.StatusOK
	if r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, newTags+association) {
		status = http.StatusCreated
	}
	writeJSON(w, status, wrapped.Value)
}
