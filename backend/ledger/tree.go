package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
)

// TreeFile is one regular file of a directory.
type TreeFile struct {
	Path   string `json:"path"` // relative, with forward slashes; "." for a model that is one file
	Size   int64  `json:"size"` // bytes
	Digest Digest `json:"digest"`
}

// Tree is what a model directory holds, in the order in which it is digested.
type Tree struct {
	Files []TreeFile
	Root  Digest // what votes, attestations and the gate name
}

// DigestTree digests a model directory the way OpenSSF model signing 1.0 does
// (method "files", SHA-256), so that its verifiers agree with ours. Only
// regular files count; empty directories do not. A symbolic link, a device or
// a directory without files is refused, as is a name that is not UTF-8. What
// git keeps at the top (.git, .github, .gitattributes, .gitignore) is left out.
// A path to a single file is a model of one file named ".".
func DigestTree(path string) (Tree, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Tree{}, fault.As(fault.Invalid, err, "Cannot read the model at %q. Give a directory or a file that exists.", path)
	}
	if info.Mode().IsRegular() {
		digest, size, err := digestFile(os.DirFS(filepath.Dir(path)), filepath.Base(path))
		if err != nil {
			return Tree{}, fault.As(fault.Invalid, err, "Cannot read the model %q.", path)
		}
		files := []TreeFile{{Path: ".", Size: size, Digest: digest}}
		root, err := TreeRoot(files)
		return Tree{Files: files, Root: root}, err
	}
	return DigestTreeFS(os.DirFS(path))
}

// DigestTreeFS is DigestTree over a file system whose top is the model directory.
func DigestTreeFS(fsys fs.FS) (Tree, error) {
	var files []TreeFile
	err := fs.WalkDir(fsys, ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case gitKeeps(path) && entry.IsDir():
			return fs.SkipDir
		case gitKeeps(path) || entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fault.New(fault.Invalid, "%q is a symbolic link or a special file. A model holds regular files only: replace it by a copy.", path)
		case !utf8.ValidString(path):
			return fault.New(fault.Invalid, "The file name %q is not UTF-8. Rename it.", path)
		}
		digest, size, err := digestFile(fsys, path)
		if err != nil {
			return err
		}
		files = append(files, TreeFile{Path: path, Size: size, Digest: digest})
		return nil
	})
	if err != nil {
		return Tree{}, fault.Wrap(err, "digest the model directory")
	}
	slices.SortFunc(files, func(a, b TreeFile) int { return comparePaths(a.Path, b.Path) })
	root, err := TreeRoot(files)
	return Tree{Files: files, Root: root}, err
}

// TreeRoot returns the digest of a directory from the digests of its files, in
// whatever order they are given. It refuses an empty list and a path that
// occurs twice.
func TreeRoot(files []TreeFile) (Digest, error) {
	if len(files) == 0 {
		return "", fault.New(fault.Invalid, "The model directory holds no files. Write the model before it is collected.")
	}
	sorted := slices.SortedFunc(slices.Values(files), func(a, b TreeFile) int { return comparePaths(a.Path, b.Path) })
	h := sha256.New()
	for i, file := range sorted {
		if i > 0 && sorted[i-1].Path == file.Path {
			return "", fault.New(fault.Invalid, "The file %q is listed twice.", file.Path)
		}
		raw, err := hex.DecodeString(file.Digest.Hex())
		if err != nil || len(raw) != sha256.Size {
			return "", fault.New(fault.Invalid, "The file %q has no SHA-256 digest.", file.Path)
		}
		h.Write(raw)
	}
	return DigestFrom([sha256.Size]byte(h.Sum(nil))), nil
}

// comparePaths orders by path components, not by the string: "a/x" stands
// before "a-b/x" although '-' sorts before '/'.
func comparePaths(a, b string) int {
	return slices.Compare(strings.Split(a, "/"), strings.Split(b, "/"))
}

// gitKeeps reports whether a path at the top belongs to git and not to the model.
func gitKeeps(path string) bool {
	switch path {
	case ".git", ".github", ".gitattributes", ".gitignore":
		return true
	}
	return false
}

func digestFile(fsys fs.FS, path string) (Digest, int64, error) {
	file, err := fsys.Open(path)
	if err != nil {
		return "", 0, err
	}
	defer file.Close()
	h := sha256.New()
	size, err := io.Copy(h, file)
	if err != nil {
		return "", 0, fmt.Errorf("read %s: %w", path, err)
	}
	return DigestFrom([sha256.Size]byte(h.Sum(nil))), size, nil
}
