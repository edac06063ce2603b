package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	filepath "path" // path/filepath is initialised late, see package pid1
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"berth.dev/tether/boot"
	"berth.dev/tether/schema"
	"berth.dev/tether/shim"
	"berth.dev/tether/volume"
)

// sources makes what mounts mount: each disk and memory directory once in a boot.
type sources struct {
	files *volume.Store

	mu      sync.Mutex
	mounted map[string]bool
}

func newSources(files *volume.Store) *sources {
	return &sources{files: files, mounted: map[string]bool{}}
}

// prepare gives the shim's mounts for those of a process. Writable sources become the group's, as fsGroup asks for.
func (s *sources) prepare(mounts []schema.Mount, group *uint32) ([]shim.Mount, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var result []shim.Mount
	for i, mount := range mounts {
		m, err := s.prepareOne(mount, group)
		if err != nil {
			return nil, fmt.Errorf("mounts[%d] (%s): %w", i, mount.Destination, err)
		}
		result = append(result, m)
	}
	return result, nil
}

func (s *sources) prepareOne(mount schema.Mount, group *uint32) (shim.Mount, error) {
	m := shim.Mount{Destination: mount.Destination, SubPath: mount.SubPath, ReadOnly: mount.ReadOnly, Group: group, MakeSubPath: true}
	if !filepath.IsAbs(mount.Destination) || filepath.Clean(mount.Destination) == "/" {
		return m, errors.New("destination must be an absolute path below /")
	}
	if filepath.IsAbs(mount.SubPath) || slices.Contains(strings.Split(mount.SubPath, "/"), "..") {
		return m, errors.New("sub_path must be relative and without \"..\"")
	}
	var err error
	switch mount.Kind {
	case schema.ScratchDirectory:
		m.Source, err = s.scratch(mount.Source)
	case schema.Files:
		m.MakeSubPath = false
		m.Group = nil
		// That nobody wrote the volume is found out when it is mounted: it is a start error, as with a missing source elsewhere.
		m.Source, err = s.files.Path(mount.Source)
		return m, err
	case schema.Memory:
		m.Source, err = s.memory(mount.Source, mount.SizeLimit)
	case schema.Disk:
		m.Source, err = s.disk(mount.Source)
	default:
		err = errors.New("source is missing")
	}
	if err == nil && group != nil && !mount.ReadOnly {
		err = giveToGroup(m.Source, *group)
	}
	return m, err
}

func plainName(name string) error {
	if name == "" || strings.Contains(name, "/") || strings.HasPrefix(name, ".") {
		return fmt.Errorf("the name %q is not a plain file name", name)
	}
	return nil
}

func (s *sources) scratch(name string) (string, error) {
	if err := plainName(name); err != nil {
		return "", err
	}
	path := filepath.Join(boot.ScratchDirectory, "directories", name)
	return path, makeOpen(path)
}

// makeOpen makes a directory that every user may write to, as an emptyDir is.
func makeOpen(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return os.Chmod(path, 0o777)
}

func (s *sources) memory(name string, sizeLimit uint64) (string, error) {
	if err := plainName(name); err != nil {
		return "", err
	}
	path := filepath.Join(boot.MemoryDirectory, name)
	if s.mounted[path] {
		return path, nil
	}
	options := "mode=0777"
	if sizeLimit > 0 {
		options += ",size=" + strconv.FormatUint(sizeLimit, 10)
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	if err := unix.Mount("tmpfs", path, "tmpfs", unix.MS_NOATIME|unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		return "", fmt.Errorf("make the memory directory %q: %w", name, err)
	}
	s.mounted[path] = true
	return path, nil
}

func (s *sources) disk(serial string) (string, error) {
	if err := plainName(serial); err != nil {
		return "", err
	}
	path := filepath.Join(boot.DisksDirectory, serial)
	if s.mounted[path] {
		return path, nil
	}
	if err := boot.MountDisk(serial, path); err != nil {
		return "", err
	}
	s.mounted[path] = true
	return path, nil
}

// giveToGroup makes a tree the group's, readable and writable by it. A root that is the group's already is taken as done.
func giveToGroup(root string, group uint32) error {
	info, err := os.Stat(root)
	if err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Gid == group && info.Mode()&fs.ModeSetgid != 0 {
		return nil
	}
	// The root comes last, so that an interrupted walk is done again.
	err = fs.WalkDir(os.DirFS(root), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		return giveOne(root+"/"+path, group)
	})
	if err != nil {
		return err
	}
	return giveOne(root, group)
}

func giveOne(path string, group uint32) error {
	if err := os.Lchown(path, -1, int(group)); err != nil {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink != 0 {
		return err
	}
	mode := info.Mode().Perm() | 0o660
	if info.IsDir() {
		mode |= 0o110 | fs.ModeSetgid
	}
	return os.Chmod(path, mode)
}
