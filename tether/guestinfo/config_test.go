package guestinfo

import (
	"encoding/base64"
	"strings"
	"testing"
)

type pairs map[string]string

func (p pairs) Get(key string) (string, error) { return p[key], nil }

func (p pairs) Set(key, value string) error {
	p[key] = value
	return nil
}

const config = `{"schema":1,"id":"vm-1","identity":{"authority":"CA"},"disks":[{"serial":"1","role":"image"}]}`

func TestConfigMayHaveNoKey(t *testing.T) {
	for _, text := range []string{config, base64.StdEncoding.EncodeToString([]byte(config))} {
		c, err := ReadConfig(pairs{ConfigKey: text})
		if err != nil || c.ID != "vm-1" || c.Identity.Authority != "CA" || c.Identity.Key != "" {
			t.Errorf("%s gives %+v, %v", text, c, err)
		}
	}
}

func TestConfigWithKeyKeepsIt(t *testing.T) {
	c, err := ReadConfig(pairs{ConfigKey: strings.Replace(config, `"authority"`, `"certificate":"C","key":"K","authority"`, 1)})
	if err != nil || c.Identity.Key != "K" {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestConfigRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "is empty",
		"no base64!":            "neither JSON nor base64",
		`{"schema":`:            "not valid JSON",
		`{"schema":2,"id":"a"}`: "schema is 2",
		strings.Replace(config, `"id"`, `"process":"AA==","id"`, 1):   "no place for secrets",
		strings.Replace(config, `"id"`, `"entropy":"AA==","id"`, 1):   "no place for secrets",
		strings.Replace(config, `"authority"`, `"key":"K","x"`, 1):    "identity needs",
		strings.Replace(config, `"authority":"CA"`, `"other":"a"`, 1): "identity needs",
	} {
		if _, err := ReadConfig(pairs{ConfigKey: text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, not %q", text, err, want)
		}
	}
}

func TestStatesAreToldWithoutTheirNewline(t *testing.T) {
	door := pairs{}
	if n, err := (States{door}).Write([]byte("{}\n")); n != 3 || err != nil || door[StateKey] != "{}" {
		t.Errorf("%d, %v, %q", n, err, door[StateKey])
	}
}
