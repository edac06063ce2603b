package volume

import (
	"io/fs"
	"os"
	"syscall"
)

type identity struct {
	mode     fs.FileMode
	uid, gid uint32
}

type described struct {
	info    identity
	content []byte
}

// describe reads a version's tree: what a reader could tell apart.
func describe(directory string) (map[string]described, error) {
	tree := map[string]described{}
	root := os.DirFS(directory)
	err := fs.WalkDir(root, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		d := described{info: identity{mode: info.Mode()}}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			d.info.uid, d.info.gid = stat.Uid, stat.Gid
		}
		if info.Mode().IsRegular() {
			if d.content, err = fs.ReadFile(root, path); err != nil {
				return err
			}
		}
		tree[path] = d
		return nil
	})
	return tree, err
}
