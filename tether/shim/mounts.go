package shim

import (
	"errors"
	"fmt"
	"os"
	filepath "path" // path/filepath is initialised late, see package pid1
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// tree is a detached mount that waits for its place.
type tree struct {
	fd    int
	mount Mount
	file  bool
}

// openTrees clones the mounts' sources while the tether's files can still be seen. The order is that of the depth of the destinations,
// so that no mount hides another.
func openTrees(mounts []Mount) ([]tree, error) {
	sorted := append([]Mount(nil), mounts...)
	depth := func(m Mount) int { return strings.Count(filepath.Clean(m.Destination), "/") }
	slices.SortStableFunc(sorted, func(a, b Mount) int { return depth(a) - depth(b) })
	trees := make([]tree, 0, len(sorted))
	for _, mount := range sorted {
		t, err := openTree(mount)
		if err != nil {
			return nil, fmt.Errorf("mount %s: %w", mount.Destination, err)
		}
		trees = append(trees, t)
	}
	return trees, nil
}

func openTree(mount Mount) (tree, error) {
	source, err := openSource(mount)
	if err != nil {
		return tree{}, err
	}
	defer unix.Close(source)
	var stat unix.Stat_t
	if err := unix.Fstat(source, &stat); err != nil {
		return tree{}, err
	}
	fd, err := unix.OpenTree(source, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH|unix.AT_RECURSIVE)
	if err != nil {
		return tree{}, fmt.Errorf("clone the source: %w", err)
	}
	if mount.ReadOnly {
		if err := setReadOnly(fd, "", true); err != nil {
			return tree{}, err
		}
	}
	return tree{fd: fd, mount: mount, file: stat.Mode&unix.S_IFMT != unix.S_IFDIR}, nil
}

// openSource opens the source, or the sub path in it. The container's own processes may have made the sub path's symbolic links, so they
// are never followed out of the source.
func openSource(mount Mount) (int, error) {
	base, err := unix.Open(mount.Source, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open the source %q: %w", mount.Source, err)
	}
	if mount.SubPath == "" {
		return base, nil
	}
	defer unix.Close(base)
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	fd, err := unix.Openat2(base, mount.SubPath, &how)
	if errors.Is(err, unix.ENOENT) && mount.MakeSubPath {
		if err := makeInside(base, mount.SubPath, mount.Group); err != nil {
			return -1, fmt.Errorf("make the sub path %q: %w", mount.SubPath, err)
		}
		fd, err = unix.Openat2(base, mount.SubPath, &how)
	}
	if err != nil {
		return -1, fmt.Errorf("open the sub path %q: %w", mount.SubPath, err)
	}
	return fd, nil
}

// makeInside makes the directories of a relative path without leaving base.
func makeInside(base int, path string, group *uint32) error {
	parent := "."
	for _, part := range strings.Split(filepath.Clean(path), "/") {
		dir, err := unix.Openat2(base, parent, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC | unix.O_DIRECTORY, Resolve: unix.RESOLVE_IN_ROOT})
		if err != nil {
			return err
		}
		err = unix.Mkdirat(dir, part, 0o750)
		if err == nil {
			err = openDirectory(dir, part, group)
		}
		_ = unix.Close(dir)
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return err
		}
		parent = filepath.Join(parent, part)
	}
	return nil
}

// openDirectory lets the container's users into a new sub path, as the kubelet does, which gives it the mode of the volume.
func openDirectory(dir int, name string, group *uint32) error {
	mode := uint32(0o777)
	if group != nil {
		if err := unix.Fchownat(dir, name, -1, int(*group), unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
		mode |= unix.S_ISGID
	}
	return unix.Fchmodat(dir, name, mode, 0)
}

func attachTrees(trees []tree) error {
	for _, t := range trees {
		if err := attach(t); err != nil {
			return fmt.Errorf("mount %s: %w", t.mount.Destination, err)
		}
	}
	return nil
}

func attach(t tree) error {
	defer unix.Close(t.fd)
	destination := filepath.Clean("/" + t.mount.Destination)
	if err := makePoint(destination, t.file); err != nil {
		return err
	}
	return unix.MoveMount(t.fd, "", unix.AT_FDCWD, destination, unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_SYMLINKS)
}

// makePoint makes a mount point when there is none.
func makePoint(path string, file bool) error {
	info, err := os.Stat(path)
	if err == nil {
		if info.IsDir() == file {
			return fmt.Errorf("a %s cannot be mounted on a %s", kind(!file), kind(info.IsDir()))
		}
		return nil
	}
	if !file {
		return os.MkdirAll(path, 0o755)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	// A dangling link in the image (resolv.conf often is one) is followed as far as it goes.
	if target, err := os.Readlink(path); err == nil {
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o644)
	if err != nil {
		return err
	}
	return f.Close()
}

func kind(directory bool) string {
	if directory {
		return "directory"
	}
	return "file"
}

func setReadOnly(fd int, path string, recursive bool) error {
	flags := uint(0)
	if path == "" {
		flags |= unix.AT_EMPTY_PATH
	}
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	if err := unix.MountSetattr(fd, path, flags, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("make %s read-only: %w", path, err)
	}
	return nil
}
