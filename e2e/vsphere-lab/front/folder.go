package front

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
)

// Folder serves the files of datastores at /folder/PATH?dcPath=…&dsName=…, to sessions alone.
type Folder struct {
	Dispatcher *dispatch.Dispatcher
	// Allowed tells whether the user may do this to the datastore's files.
	Allowed func(user string, datastore *simulator.Datastore, write bool) bool
}

func (f *Folder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, ok := f.Dispatcher.Authenticated(r, cookieOf(r))
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(w, "not authenticated", http.StatusUnauthorized)
		return
	}
	datastore, ok := f.datastore(r.URL.Query())
	if !ok {
		http.Error(w, "no such datacenter or datastore", http.StatusNotFound)
		return
	}
	write := r.Method != http.MethodGet && r.Method != http.MethodHead
	if !f.Allowed(user, datastore, write) {
		http.Error(w, "the user lacks Datastore.FileManagement or Datastore.Browse", http.StatusForbidden)
		return
	}
	root, err := os.OpenRoot(datastore.Summary.Url)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer root.Close()
	name := filepath.Clean(strings.TrimPrefix(r.URL.Path, "/folder/"))
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		get(w, r, root, name)
	case http.MethodPut, http.MethodPost:
		put(w, r, root, name)
	case http.MethodDelete:
		remove(w, root, name)
	default:
		http.Error(w, "a datastore knows GET, HEAD, PUT and DELETE", http.StatusMethodNotAllowed)
	}
}

// cookieOf finds the session where the older protocols carry it; its value is the same as of VI/JSON's header.
func cookieOf(r *http.Request) string {
	if cookie, err := r.Cookie(soap.SessionCookieName); err == nil {
		return strings.Trim(cookie.Value, `"`)
	}
	return ""
}

func (f *Folder) datastore(query url.Values) (*simulator.Datastore, bool) {
	ctx := f.Dispatcher.System()
	for _, entity := range ctx.Map.All("Datastore") {
		datastore, ok := entity.(*simulator.Datastore)
		if ok && datastore.Name == query.Get("dsName") && inDatacenter(ctx, datastore, query.Get("dcPath")) {
			return datastore, true
		}
	}
	return nil, false
}

// inDatacenter follows the parents of an entity; an empty name stands for the only datacenter.
func inDatacenter(ctx *simulator.Context, entity mo.Entity, name string) bool {
	name = name[strings.LastIndex(name, "/")+1:]
	for entity != nil {
		e := entity.Entity()
		if entity.Reference().Type == "Datacenter" {
			return e.Name == name || name == "" && len(ctx.Map.All("Datacenter")) == 1
		}
		if e.Parent == nil {
			return false
		}
		entity, _ = ctx.Map.Get(*e.Parent).(mo.Entity)
	}
	return false
}

func get(w http.ResponseWriter, r *http.Request, root *os.Root, name string) {
	file, err := root.Open(name)
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || info.IsDir() {
		http.Error(w, "not a file", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", info.ModTime(), file)
}

// put writes as a real vCenter does: folders are not made, and what came before a break of the connection stays.
func put(w http.ResponseWriter, r *http.Request, root *os.Root, name string) {
	if r.Header.Get("Content-Range") != "" {
		http.Error(w, "a datastore takes whole files only", http.StatusBadRequest)
		return
	}
	_, missing := root.Stat(name)
	file, err := root.Create(name)
	if err != nil {
		refuseFile(w, err)
		return
	}
	_, err = io.Copy(file, r.Body)
	if err = errors.Join(err, file.Close()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if missing != nil {
		w.WriteHeader(http.StatusCreated)
	}
}

func remove(w http.ResponseWriter, root *os.Root, name string) {
	if name == "." {
		http.Error(w, "the datastore itself stays", http.StatusForbidden)
		return
	}
	if err := root.Remove(name); err != nil {
		refuseFile(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func refuseFile(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if errors.Is(err, os.ErrNotExist) {
		status = http.StatusNotFound
	}
	http.Error(w, http.StatusText(status), status)
}
