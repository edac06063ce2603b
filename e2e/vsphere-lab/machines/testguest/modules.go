package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// module is an entry of the initramfs's index; each stands after those it depends on.
type module struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Depends []string `json:"depends"`
	Aliases []string `json:"aliases"`
	Always  bool     `json:"always"`
}

// loadModules loads what the machine's devices ask for, again while a bus shows more.
func loadModules() error {
	content, err := os.ReadFile("/modules/index.json")
	if err != nil {
		return err
	}
	var index []module
	if err := json.Unmarshal(content, &index); err != nil {
		return err
	}
	loaded := map[string]bool{}
	for before := -1; before != len(loaded); {
		before = len(loaded)
		devices := modaliases()
		for _, m := range index {
			if !loaded[m.Name] && (m.Always || m.matches(devices)) {
				if err := load(m, index, loaded); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func load(wanted module, index []module, loaded map[string]bool) error {
	if loaded[wanted.Name] {
		return nil
	}
	loaded[wanted.Name] = true
	for _, name := range wanted.Depends {
		for _, m := range index {
			if m.Name == name {
				if err := load(m, index, loaded); err != nil {
					return err
				}
			}
		}
	}
	file, err := os.Open(filepath.Join("/modules", wanted.File))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil && !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("load %s: %w", wanted.Name, err)
	}
	return nil
}

func (m module) matches(devices []string) bool {
	for _, alias := range m.Aliases {
		for _, device := range devices {
			if ok, err := path.Match(alias, device); err == nil && ok {
				return true
			}
		}
	}
	return false
}

func modaliases() []string {
	files, _ := filepath.Glob("/sys/bus/*/devices/*/modalias")
	var all []string
	for _, file := range files {
		// No pattern has a '/', at which a '*' would stop.
		all = append(all, strings.ReplaceAll(text(file), "/", "_"))
	}
	return all
}
