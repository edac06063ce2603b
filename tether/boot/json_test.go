package boot

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestEveryFieldOfTheConfigIsRead(t *testing.T) {
	want := &Config{
		Schema: 1, ID: "vm-1", Identity: Identity{"C\n", "K\"\\/", "A é 😀 <&>"}, Hostname: "web-0",
		Interfaces: []Interface{{"52:54:00:12:34:56", []string{"10.0.0.1/24", "fd00::1/64"}, "10.0.0.254", 1500}, {MAC: "52:54:00:12:34:57"}},
		Disks:      []Disk{{"image", "image"}, {"s", "scratch"}}, ControlMAC: "00:50:56:00:00:01", MemoryLimit: 64 << 20, Entropy: []byte{0, 255, 1}, Process: []byte{9, 8},
	}
	full := reflect.ValueOf(*want)
	for i := range full.NumField() {
		if full.Field(i).IsZero() {
			t.Errorf("this test has nothing for the field %s", full.Type().Field(i).Name)
		}
	}
	compact, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	spacious, err := json.MarshalIndent(want, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range [][]byte{compact, spacious} {
		if got, err := ParseConfig(content); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestEveryFieldOfAModuleIsRead(t *testing.T) {
	want := []Module{{"a", "a.ko", []string{"b", "c"}, []string{"virtio:*"}, true}, {Name: "b"}}
	content, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got []Module
	err = readJSON(content, func(r *jsonReader) { r.array(func() { got = append(got, readModule(r)) }) })
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// configs are read alike by encoding/json.
var configs = []string{
	goodConfig, "", "{", "}", "{}", "[]", "null", "{} {}", "{},", `{"schema":1}`, `{"schema":1,}`, `{"schema":1 "id":"x"}`, `{"schema":-1}`, `{"schema":1.5}`,
	`{"schema":"1"}`, `{"schema":+1}`, `{"schema":null,"id":null,"disks":null,"identity":null}`, `{"id":"\u00e9\ud83d\ude00\n\t\"\\\/\b\f\r"}`, `{"id":"\ud83d"}`,
	`{"id":"\ud83dx"}`, `{"id":"\ud83d\u0041"}`, `{"id":"\ud83d\ud83d\ude00"}`, `{"id":"\u00g0"}`, `{"id":"\u+0e9"}`, `{"id":"\x"}`, `{"id":"cut`, `{"id":"\`, "{\"id\":\"\n\"}", `{"id":1}`,
	`{"other":{"a":[1,2.5e+3,true,false,null,"x",{}],"b":[]},"id":"x"}`, `{"other":tru}`, `{"other":[1,]}`, `{"disks":[{"serial":"s"},{"role":"r"}]}`, `{"disks":[1]}`,
	`{"disks":{}}`, `{"entropy":"AAE="}`, `{"entropy":"A"}`, `{"entropy":""}`, " \t\r\n{ \"id\" : \"x\" } \n", `{id:"x"}`, `{"id":"a","id":"b"}`, `{"interfaces":[{"addresses":["a"],"mtu":1}]}`,
}

func TestJSONIsThatOfThePackage(t *testing.T) {
	for _, text := range configs {
		sameJSON(t, text)
	}
}

func sameJSON(t *testing.T, text string) {
	t.Helper()
	want, got := &Config{}, &Config{}
	wantErr := json.Unmarshal([]byte(text), want)
	err := readJSON([]byte(text), got.read)
	if (err != nil) != (wantErr != nil) {
		t.Errorf("%q: %v, the package has %v", text, err, wantErr)
	} else if err == nil && !reflect.DeepEqual(empty(got), empty(want)) {
		t.Errorf("%q: %+v, the package has %+v", text, got, want)
	}
}

// empty makes no difference between no bytes and none at all.
func empty(c *Config) *Config {
	if len(c.Entropy) == 0 {
		c.Entropy = nil
	}
	if len(c.Process) == 0 {
		c.Process = nil
	}
	return c
}

func FuzzConfig(f *testing.F) {
	for _, text := range configs {
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, text string) { _, _ = ParseConfig([]byte(text)) })
}
