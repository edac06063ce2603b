package front

import (
	"bytes"
	"io"
	"net/http"
	"reflect"

	"dev.berth/e2e/vsphere-lab/dispatch"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

// SOAP answers the vim25 namespace, at /sdk, as the simulator does, but through the lab's layers.
type SOAP struct {
	Dispatcher *dispatch.Dispatcher
}

func (s *SOAP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "SOAP is spoken by POST", http.StatusMethodNotAllowed)
		return
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	method, err := simulator.UnmarshalBody(types.TypeFunc(), data)
	if err != nil {
		writeEnvelope(w, dispatch.Refuse(&types.InvalidRequest{}, "%s", err))
		return
	}
	if method.Name == "Fetch" {
		method.This = types.ManagedObjectReference{Type: "PropertyCollector", Value: "propertyCollector"}
	}
	session := ""
	if cookie, err := r.Cookie(soap.SessionCookieName); err == nil {
		session = cookie.Value
	}
	call := &dispatch.Call{Method: method.Name, This: method.This, Body: method.Body, Header: method.Header}
	response, headers := s.Dispatcher.Do(r, session, call)
	for _, cookie := range headers["Set-Cookie"] {
		w.Header().Add("Set-Cookie", cookie)
	}
	if interrupted, ok := response.(*dispatch.Interrupted); ok {
		interrupted.Answer(w)
		return
	}
	writeEnvelope(w, response)
}

type envelope struct {
	XMLName xml.Name `xml:"soapenv:Envelope"`
	Enc     string   `xml:"xmlns:soapenc,attr"`
	Env     string   `xml:"xmlns:soapenv,attr"`
	XSD     string   `xml:"xmlns:xsd,attr"`
	XSI     string   `xml:"xmlns:xsi,attr"`
	Body    any      `xml:"soapenv:Body"`
}

type faultBody struct {
	Fault struct {
		Code   string `xml:"faultcode"`
		String string `xml:"faultstring"`
		Detail struct {
			Fault faultDetail
		} `xml:"detail"`
	} `xml:"soapenv:Fault"`
}

// faultDetail is written as an element that is called after its type.
type faultDetail struct{ fault any }

func (d faultDetail) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	t := reflect.TypeOf(d.fault)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	start.Name.Local = t.Name() + "Fault"
	start.Attr = append(start.Attr, xml.Attr{Name: xml.Name{Local: "xmlns"}, Value: "urn:vim25"},
		xml.Attr{Name: xml.Name{Local: "xsi:type"}, Value: t.Name()})
	return e.EncodeElement(d.fault, start)
}

// responseBody writes the Res of a govmomi response structure in the namespace.
type responseBody struct{ response soap.HasFault }

func (b responseBody) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	result := reflect.ValueOf(b.response).Elem().FieldByName("Res")
	name := xml.StartElement{Name: xml.Name{Space: "urn:vim25", Local: result.Elem().Type().Name()}}
	if named, ok := b.response.(interface{ Element() string }); ok {
		name.Name.Local = named.Element()
	}
	if err := e.EncodeToken(start); err != nil {
		return err
	}
	if err := e.EncodeElement(result.Interface(), name); err != nil {
		return err
	}
	return e.EncodeToken(start.End())
}

func writeEnvelope(w http.ResponseWriter, response soap.HasFault) {
	status, body := http.StatusOK, any(responseBody{response})
	if fault := response.Fault(); fault != nil {
		var wrapped faultBody
		wrapped.Fault.Code = fault.Code
		wrapped.Fault.String = fault.String
		wrapped.Fault.Detail.Fault.fault = fault.Detail.Fault
		status, body = http.StatusInternalServerError, wrapped
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	err := xml.NewEncoder(&out).Encode(&envelope{
		Enc:  "http://schemas.xmlsoap.org/soap/encoding/",
		Env:  "http://schemas.xmlsoap.org/soap/envelope/",
		XSD:  "http://www.w3.org/2001/XMLSchema",
		XSI:  "http://www.w3.org/2001/XMLSchema-instance",
		Body: body,
	})
	if err != nil {
		http.Error(w, "the lab cannot write its answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", `text/xml; charset="utf-8"`)
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}
