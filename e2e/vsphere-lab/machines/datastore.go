package machines

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// Datastores gives the folder that holds a datastore's files, or an error when there is no such datastore.
type Datastores func(name string) (string, error)

// FileError tells of a file of a datastore that a machine needs and cannot have. It wraps fs.ErrNotExist when the file is not there.
type FileError struct {
	// Path is the datastore path, "[datastore] folder/file".
	Path string
	Err  error
}

func (e *FileError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Err) }

// Unwrap gives the cause.
func (e *FileError) Unwrap() error { return e.Err }

// resolve gives the local path of a datastore path. No path leads out of its datastore.
func (d Datastores) resolve(datastorePath string) (string, error) {
	name, file, ok := strings.Cut(strings.TrimPrefix(datastorePath, "["), "]")
	file = strings.TrimSpace(file)
	if !ok || !strings.HasPrefix(datastorePath, "[") || name == "" || file == "" {
		return "", &FileError{Path: datastorePath, Err: errors.New(`not a datastore path of the form "[datastore] folder/file"`)}
	}
	folder, err := d(name)
	if err != nil {
		return "", &FileError{Path: datastorePath, Err: err}
	}
	return filepath.Join(folder, filepath.FromSlash(path.Clean("/"+file))), nil
}

// missing makes the error of the operating system one about the datastore path.
func missing(datastorePath string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		err = fs.ErrNotExist
	}
	return &FileError{Path: datastorePath, Err: err}
}
