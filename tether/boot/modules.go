package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Module is one entry of the initramfs's module index.
type Module struct {
	Name    string   `json:"name"`
	File    string   `json:"file"`
	Depends []string `json:"depends"`
	// Aliases are patterns of device names as the kernel's modinfo gives them.
	Aliases []string `json:"aliases"`
	// Always loads the module whatever devices there are.
	Always bool `json:"always"`
}

// Modules loads kernel modules, each once.
type Modules struct {
	index  map[string]Module
	order  []string
	loaded map[string]bool
	load   func(file string) error
}

// ReadModules reads index.json of a directory; a missing index is an empty one.
func ReadModules(directory string) (*Modules, error) {
	content, err := os.ReadFile(path.Join(directory, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		content, err = []byte("[]"), nil
	}
	if err != nil {
		return nil, err
	}
	var list []Module
	err = readJSON(content, func(r *jsonReader) { r.array(func() { list = append(list, readModule(r)) }) })
	if err != nil {
		return nil, fmt.Errorf("the module index is %w", err)
	}
	return NewModules(list, func(file string) error { return loadModule(path.Join(directory, file)) }), nil
}

func readModule(r *jsonReader) (m Module) {
	strings := func(to *[]string) { r.array(func() { *to = append(*to, r.string()) }) }
	r.object(func(name string) {
		switch name {
		case "name":
			m.Name = r.string()
		case "file":
			m.File = r.string()
		case "depends":
			strings(&m.Depends)
		case "aliases":
			strings(&m.Aliases)
		case "always":
			m.Always = r.boolean()
		default:
			r.skip()
		}
	})
	return m
}

// NewModules makes a loader; load is given the file of each module.
func NewModules(list []Module, load func(file string) error) *Modules {
	m := &Modules{index: map[string]Module{}, loaded: map[string]bool{}, load: load}
	for _, module := range list {
		m.index[module.Name] = module
		m.order = append(m.order, module.Name)
	}
	return m
}

// Empty tells that the kernel has everything built in.
func (m *Modules) Empty() bool { return len(m.index) == 0 }

// Load loads the named module after what it depends on.
func (m *Modules) Load(name string) error { return m.loadAfter(name, nil) }

func (m *Modules) loadAfter(name string, path []string) error {
	if m.loaded[name] {
		return nil
	}
	if slices.Contains(path, name) {
		return fmt.Errorf("the modules %s depend on each other", strings.Join(append(path, name), ", "))
	}
	module, ok := m.index[name]
	if !ok {
		return fmt.Errorf("module %s is not in the index", strings.Join(append(path, name), " needs "))
	}
	for _, need := range module.Depends {
		if err := m.loadAfter(need, append(path, name)); err != nil {
			return err
		}
	}
	if err := m.load(module.File); err != nil {
		return fmt.Errorf("load the module %s: %w", name, err)
	}
	m.loaded[name] = true
	return nil
}

// LoadAlways loads the modules that are wanted in any case.
func (m *Modules) LoadAlways() error {
	for _, name := range m.order {
		if m.index[name].Always {
			if err := m.Load(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// LoadMatching loads the modules of the given devices and tells how many were new. A module that its device refuses is passed over.
func (m *Modules) LoadMatching(devices []string) (int, error) {
	count := 0
	for _, name := range m.order {
		if m.loaded[name] || !m.index[name].matches(devices) {
			continue
		}
		err := m.Load(name)
		if errors.Is(err, unix.ENODEV) {
			m.loaded[name] = true
			continue
		}
		if err != nil {
			return count, err
		}
		count++
	}
	return count, nil
}

func (m Module) matches(devices []string) bool {
	for _, pattern := range m.Aliases {
		// Nearly always the plain beginning tells that it is another device: to find that out by the whole pattern takes long.
		plain := pattern
		if end := strings.IndexAny(pattern, `*?[\`); end >= 0 {
			plain = pattern[:end]
		}
		for _, device := range devices {
			if !strings.HasPrefix(device, plain) {
				continue
			}
			if ok, err := path.Match(pattern, device); err == nil && ok {
				return true
			}
		}
	}
	return false
}

// newDevices gives the modalias of every device of sysfs that was not seen yet.
func newDevices(seen map[string]bool) []string {
	var all []string
	buses, err := os.ReadDir("/sys/bus")
	if err != nil {
		return nil
	}
	for _, bus := range buses {
		directory := "/sys/bus/" + bus.Name() + "/devices/"
		devices, err := os.ReadDir(directory)
		if err != nil {
			continue
		}
		for _, device := range devices {
			file := directory + device.Name() + "/modalias"
			if seen[file] {
				continue
			}
			if content, err := os.ReadFile(file); err == nil {
				seen[file] = true
				all = append(all, strings.TrimSpace(string(content)))
			}
		}
	}
	return all
}

// LoadDevices loads modules for the devices of sysfs, again while buses reveal more.
func (m *Modules) LoadDevices() error {
	seen := map[string]bool{}
	for !m.Empty() {
		count, err := m.LoadMatching(newDevices(seen))
		if err != nil || count == 0 {
			return err
		}
	}
	return nil
}

func loadModule(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	err = unix.FinitModule(int(file.Fd()), "", 0)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}
