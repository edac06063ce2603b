// Package front speaks the protocols of a vCenter to its clients.
package front

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"dev.berth/e2e/vsphere-lab/vijson"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	// SessionHeader carries the session in VI/JSON and REST.
	SessionHeader = "vmware-api-session-id"
	maxBody       = 16 << 20
)

// JSON answers VI/JSON: /sdk/vim25/{release}/{type}/{moid}/{method or property}.
type JSON struct {
	Dispatcher *dispatch.Dispatcher
	// Releases that the server knows, oldest first. Another one in a URL is not found.
	Releases []string
}

const jsonPrefix = "/sdk/vim25/"

func (j *JSON) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts, err := splitPath(strings.TrimPrefix(r.URL.EscapedPath(), jsonPrefix))
	switch {
	case err != nil:
		writeFault(w, &types.InvalidRequest{}, err.Error())
	case len(parts) != 4:
		http.NotFound(w, r)
	case !slices.Contains(j.Releases, parts[0]):
		http.Error(w, fmt.Sprintf("unknown release %q: this server knows %s", parts[0], strings.Join(j.Releases, ", ")), http.StatusNotFound)
	case r.Method == http.MethodPost:
		j.call(w, r, types.ManagedObjectReference{Type: parts[1], Value: parts[2]}, parts[3])
	case r.Method == http.MethodGet:
		j.property(w, r, types.ManagedObjectReference{Type: parts[1], Value: parts[2]}, parts[3])
	default:
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "VI/JSON knows POST of methods and GET of properties", http.StatusMethodNotAllowed)
	}
}

func splitPath(escaped string) ([]string, error) {
	parts := strings.Split(escaped, "/")
	for i, part := range parts {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return nil, err
		}
		parts[i] = plain
	}
	return parts, nil
}

func (j *JSON) call(w http.ResponseWriter, r *http.Request, this types.ManagedObjectReference, method string) {
	body, err := newRequest(method, this)
	if err != nil {
		writeFault(w, &types.MethodNotFound{Receiver: this, Method: method}, err.Error())
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		writeFault(w, &types.InvalidRequest{}, "cannot read the request: "+err.Error())
		return
	}
	// A real one takes bodies without a type too: govc sends none.
	if kind := r.Header.Get("Content-Type"); kind != "" && !strings.HasPrefix(kind, "application/json") {
		http.Error(w, "VI/JSON wants Content-Type: application/json", http.StatusUnsupportedMediaType)
		return
	}
	if err := vijson.DecodeParameters(data, body); err != nil {
		writeFault(w, &types.InvalidRequest{}, this.Type+"."+method+": "+err.Error())
		return
	}
	call := &dispatch.Call{Method: method, This: this, Body: body}
	response, headers := j.Dispatcher.Do(r, r.Header.Get(SessionHeader), call)
	if session := sessionOf(headers); session != "" {
		w.Header().Set(SessionHeader, session)
		// The older protocols, and files at /folder, want it as a cookie.
		http.SetCookie(w, &http.Cookie{Name: soap.SessionCookieName, Value: session, Path: "/", Secure: true, HttpOnly: true})
	}
	writeResponse(w, response)
}

// newRequest makes the empty request structure of a method. Its name must be exact.
func newRequest(method string, this types.ManagedObjectReference) (any, error) {
	t, ok := types.TypeFunc()(method)
	if !ok || t.Kind() != reflect.Struct || strings.HasSuffix(method, "RequestType") {
		return nil, fmt.Errorf("unknown method %q of %s", method, this.Type)
	}
	self, ok := t.FieldByName("This")
	if !ok || self.Type != reflect.TypeFor[types.ManagedObjectReference]() {
		return nil, fmt.Errorf("%q is not a method", method)
	}
	body := reflect.New(t)
	body.Elem().FieldByIndex(self.Index).Set(reflect.ValueOf(this))
	return body.Interface(), nil
}

// property answers the GET of one property by its name.
func (j *JSON) property(w http.ResponseWriter, r *http.Request, this types.ManagedObjectReference, name string) {
	request := &types.RetrievePropertiesEx{SpecSet: []types.PropertyFilterSpec{{
		ObjectSet: []types.ObjectSpec{{Obj: this}},
		PropSet:   []types.PropertySpec{{Type: this.Type, PathSet: []string{name}}},
	}}}
	collector := types.ManagedObjectReference{Type: "PropertyCollector", Value: "propertyCollector"}
	request.This = collector
	call := &dispatch.Call{Method: "RetrievePropertiesEx", This: collector, Body: request}
	response, _ := j.Dispatcher.Do(r, r.Header.Get(SessionHeader), call)
	if interrupted, ok := response.(*dispatch.Interrupted); ok {
		interrupted.Answer(w)
		return
	}
	if fault := response.Fault(); fault != nil {
		writeSOAPFault(w, fault)
		return
	}
	body, ok := response.(*methods.RetrievePropertiesExBody)
	if !ok || body.Res.Returnval == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	for _, object := range body.Res.Returnval.Objects {
		for _, property := range object.PropSet {
			writeValue(w, unboxed(property.Val))
			return
		}
		for _, missing := range object.MissingSet {
			writeFault(w, missing.Fault.Fault, missing.Fault.LocalizedMessage)
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// unboxed takes the array out of an ArrayOfX: the type of a property is known to who asks for it.
func unboxed(value any) any {
	v := reflect.Indirect(reflect.ValueOf(value))
	if v.Kind() == reflect.Struct && strings.HasPrefix(v.Type().Name(), "ArrayOf") {
		return v.Field(0).Interface()
	}
	return value
}

func sessionOf(headers http.Header) string {
	for _, cookie := range (&http.Response{Header: headers}).Cookies() {
		if cookie.Name == soap.SessionCookieName {
			return cookie.Value
		}
	}
	return ""
}

func writeResponse(w http.ResponseWriter, response soap.HasFault) {
	if interrupted, ok := response.(*dispatch.Interrupted); ok {
		interrupted.Answer(w)
		return
	}
	if fault := response.Fault(); fault != nil {
		writeSOAPFault(w, fault)
		return
	}
	value := reflect.ValueOf(response).Elem().FieldByName("Res").Elem().FieldByName("Returnval")
	if !value.IsValid() || value.Kind() != reflect.Struct && value.IsZero() && nothing(value.Kind()) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeValue(w, value.Interface())
}

func nothing(kind reflect.Kind) bool {
	return kind == reflect.Pointer || kind == reflect.Interface || kind == reflect.Slice
}

func writeValue(w http.ResponseWriter, value any) {
	body, err := vijson.Encode(value)
	if err != nil {
		writeFault(w, &types.SystemError{}, "the lab cannot write its answer: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

func writeSOAPFault(w http.ResponseWriter, fault *soap.Fault) {
	writeFault(w, fault.Detail.Fault, fault.String)
}

func writeFault(w http.ResponseWriter, fault any, message string) {
	body, err := vijson.EncodeFault(fault, message)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = w.Write(body)
}
