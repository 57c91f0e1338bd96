package runner

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
)

// fetchInputs lays out input/<name>/ and returns the digest of every file.
func fetchInputs(ctx context.Context, c *client, dir string, inputs []training.Input) (map[string]ledger.Digest, error) {
	digests := map[string]ledger.Digest{}
	for _, in := range inputs {
		base, err := within(filepath.Join(dir, "input"), in.Name)
		if err != nil {
			return nil, &localError{err}
		}
		if len(in.Dataset) > 0 {
			if err := writeFile(filepath.Join(base, "dataset.json"), in.Dataset); err != nil {
				return nil, &localError{err}
			}
		}
		for _, name := range in.Files {
			path, err := within(base, name)
			if err != nil {
				return nil, &localError{err}
			}
			err = insist(ctx, patience, func() (err error) {
				digests[in.Name+"/"+name], err = fetch(ctx, c, "/input/"+escape(in.Name)+"/"+escape(name), path)
				return err
			})
			if err != nil {
				return nil, fmt.Errorf("input %s/%s: %w", in.Name, name, err)
			}
		}
	}
	return digests, nil
}

func fetch(ctx context.Context, c *client, from, to string) (ledger.Digest, error) {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return "", &localError{err}
	}
	f, err := os.Create(to)
	if err != nil {
		return "", &localError{err}
	}
	h := sha256.New()
	err = c.call(ctx, http.MethodGet, from, nil, nil, io.MultiWriter(f, h))
	if closed := f.Close(); err == nil && closed != nil {
		err = &localError{closed}
	}
	return ledger.DigestFrom([sha256.Size]byte(h.Sum(nil))), err
}

// escape keeps the slashes of a path and escapes the rest.
func escape(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

// sendOutputs brings every regular file under output/ to the server.
func sendOutputs(ctx context.Context, c *client, log *slog.Logger, dir string) ([]training.OutputFile, error) {
	root := filepath.Join(dir, "output")
	sent := []training.OutputFile{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if path == root && os.IsNotExist(err) {
				return nil
			}
			return &localError{err}
		}
		if !entry.Type().IsRegular() {
			return nil // a link could lead anywhere
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return &localError{err}
		}
		if !nameable(name) {
			log.Warn("an output file is left out: its name holds characters that a terminal acts on or nobody sees", "file", name)
			return nil
		}
		var file training.OutputFile
		err = insist(ctx, patience, func() (err error) {
			file, err = send(ctx, c, path, filepath.ToSlash(name))
			return err
		})
		if err != nil {
			return fmt.Errorf("output %s: %w", name, err)
		}
		sent = append(sent, file)
		return nil
	})
	return sent, err
}

// nameable reports whether a server takes a file under its name: not one that is
// a command to whoever prints it.
func nameable(name string) bool { return ledger.Name("path", name) == nil }

func send(ctx context.Context, c *client, path, name string) (training.OutputFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return training.OutputFile{}, &localError{err}
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	var got training.OutputFile
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	if err := c.call(ctx, http.MethodPut, "/output/"+escape(name), header, io.TeeReader(f, h), &got); err != nil {
		return got, err
	}
	if want := ledger.DigestFrom([sha256.Size]byte(h.Sum(nil))); got.Digest != want {
		return got, fmt.Errorf("the server received %s, sent was %s", got.Digest.Short(), want.Short())
	}
	return got, nil
}

// result reads output/result.json; anything but an object is left out.
func result(dir string) json.RawMessage {
	raw, err := os.ReadFile(filepath.Join(dir, "output", "result.json"))
	var object map[string]any
	if err != nil || len(raw) > 1<<16 || json.Unmarshal(raw, &object) != nil {
		return nil
	}
	return raw
}
