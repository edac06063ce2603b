package main

import (
	"encoding/json"
	"os"
	"path"
	"strings"
	"syscall"
	"unsafe"
)

const sysFinitModule = 313

type module struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Depends []string `json:"depends"`
	Aliases []string `json:"aliases"`
	Always  bool     `json:"always"`

	tried bool
}

func uintptrOf(time *syscall.Timespec) uintptr { return uintptr(unsafe.Pointer(time)) }

// loadModules loads what always is needed, then, until a round finds nothing new, what the devices there ask for.
func (f *Found) loadModules() {
	var index []*module
	if err := json.Unmarshal([]byte(text("/modules/index.json")), &index); err != nil {
		f.problem("/modules/index.json: %v", err)
	}
	byName := map[string]*module{}
	for _, each := range index {
		byName[each.Name] = each
	}
	for _, each := range index {
		if each.Always {
			f.load(each, byName)
		}
	}
	for before := -1; before != f.Modules; {
		before = f.Modules
		devices := modaliases()
		for _, each := range index {
			if !each.tried && each.matches(devices) {
				f.load(each, byName)
			}
		}
	}
}

func (f *Found) load(wanted *module, byName map[string]*module) {
	if wanted.tried {
		return
	}
	wanted.tried = true
	for _, name := range wanted.Depends {
		if byName[name] == nil {
			f.problem("%s depends on %s, which the index lacks", wanted.Name, name)
			continue
		}
		f.load(byName[name], byName)
	}
	file, err := os.Open("/modules/" + wanted.File)
	if err != nil {
		f.problem("%v", err)
		return
	}
	defer file.Close()
	none := []byte{0}
	if _, _, errno := syscall.Syscall(sysFinitModule, file.Fd(), uintptr(unsafe.Pointer(&none[0])), 0); errno != 0 {
		f.problem("load %s: %v", wanted.Name, errno)
		return
	}
	f.Modules++
}

func (m *module) matches(devices []string) bool {
	for _, alias := range m.Aliases {
		for _, device := range devices {
			// No device's name has a '/', at which a '*' would stop.
			if matched, _ := path.Match(alias, strings.ReplaceAll(device, "/", "_")); matched {
				return true
			}
		}
	}
	return false
}

// modaliases looks where devices are listed, one link each: walking the whole tree of devices takes many times longer.
func modaliases() []string {
	return append(each("/sys/bus/*/devices/*/modalias", text), each("/sys/class/dmi/id/modalias", text)...)
}
