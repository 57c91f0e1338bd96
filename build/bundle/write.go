package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// write replaces the content of dist. Files of the last bundle that this one
// also has are left untouched, which keeps Go's build cache warm.
func write(files []file) error {
	manifest := map[string]string{}
	want := map[string][]byte{}
	for _, f := range files {
		want[f.name] = f.body
		if f.plain != "" {
			manifest[f.plain] = f.name
		}
		if small := compress(f.body); len(small) < len(f.body)*9/10 && !strings.HasSuffix(f.name, ".png") {
			want[f.name+".gz"] = small
		}
	}
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	want["manifest.json"] = append(text, '\n')

	if err := os.MkdirAll(filepath.Join(outDir, "icons"), 0o755); err != nil {
		return err
	}
	for name, body := range want {
		path := filepath.Join(outDir, filepath.FromSlash(name))
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, body) {
			continue
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			return err
		}
	}
	return removeOthers(want)
}

func removeOthers(want map[string][]byte) error {
	for _, pattern := range []string{"*", "icons/*"} {
		paths, err := filepath.Glob(filepath.Join(outDir, pattern))
		if err != nil {
			return err
		}
		for _, path := range paths {
			name, err := filepath.Rel(outDir, path)
			if err != nil {
				return err
			}
			name = filepath.ToSlash(name)
			if _, ok := want[name]; ok || name == ".keep" || name == "icons" {
				continue
			}
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	return nil
}

func compress(body []byte) []byte {
	var out bytes.Buffer
	// Neither can fail: the level is valid and the target is memory.
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression)
	_, _ = w.Write(body)
	_ = w.Close()
	return out.Bytes()
}
