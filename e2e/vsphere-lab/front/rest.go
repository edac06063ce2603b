package front

import (
	"encoding/json"
	"net/http"
	"slices"

	"dev.berth/e2e/vsphere-lab/dispatch"
)

// REST answers the part of the /api endpoint that is the lab's own.
type REST struct {
	Dispatcher *dispatch.Dispatcher
	Releases   []string
}

// ServeHTTP negotiates the release: the newest of the client's that the server knows too, "" when there is none.
func (s *REST) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("action") != "hello" {
		http.Error(w, "the only action here is hello", http.StatusBadRequest)
		return
	}
	var hello struct {
		Releases []string `json:"api_releases"`
	}
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&hello); err != nil || len(hello.Releases) == 0 {
		http.Error(w, "hello wants {\"api_releases\":[…]}", http.StatusBadRequest)
		return
	}
	chosen := ""
	for _, release := range s.Releases {
		if slices.Contains(hello.Releases, release) {
			chosen = release
		}
	}
	writeJSON(w, http.StatusOK, map[string]string{"api_release": chosen})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
