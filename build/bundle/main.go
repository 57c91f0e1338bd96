// Command bundle writes what the browser loads to frontend/static/dist: one
// script per island, htmx, the one style sheet and the icons, each under a
// name that carries a hash of its content, with a gzip copy beside it and a
// manifest that package static reads.
//
// It is esbuild called as a Go library, so that building needs no bundler from
// npm; the libraries that the scripts import come from node_modules (npm ci).
// esbuild strips types without checking them: `make lint` runs the type check.
//
// Run it from the repository's root:
//
//	go run ./build/bundle          bundle for release
//	go run ./build/bundle -dev     unminified, with source maps and the script that reloads pages
//	go run ./build/bundle -test    bundle and run every frontend/islands/*/*.test.ts with node
package main

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

const (
	islands = "frontend/islands"
	outDir  = "frontend/static/dist"
)

func main() {
	dev := flag.Bool("dev", false, "leave names and lines as written and add source maps")
	test := flag.Bool("test", false, "bundle the islands' tests and run them with node instead")
	flag.Parse()
	run := func() error { return bundle(*dev) }
	if *test {
		run = testIslands
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

// bundle builds everything in memory first and replaces dist only when all of
// it succeeded, so that a typing error leaves the last good bundle in place.
func bundle(dev bool) error {
	if _, err := os.Stat("node_modules/htmx.org"); err != nil {
		return errors.New("node_modules is missing or incomplete; run `npm ci`")
	}
	scripts, err := buildScripts(dev)
	if err != nil {
		return err
	}
	style, err := buildStyle(dev)
	if err != nil {
		return err
	}
	icons, err := buildIcons()
	if err != nil {
		return err
	}
	return write(slices.Concat(scripts, style, icons))
}

// file is one file of the bundle: where it goes below dist, and the plain name
// by which pages ask for it (empty for a chunk that only scripts import).
type file struct {
	name, plain string
	body        []byte
}

// buildScripts bundles htmx and the entry of every island. What several of
// them import (Lit, shared modules) becomes a chunk that the browser loads once.
func buildScripts(dev bool) ([]file, error) {
	entries := []api.EntryPoint{{InputPath: "node_modules/htmx.org/dist/htmx.esm.js", OutputPath: "htmx"}}
	names, err := islandNames()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		entries = append(entries, api.EntryPoint{
			InputPath:  "./" + filepath.ToSlash(filepath.Join(islands, name, name+".ts")),
			OutputPath: name,
		})
	}
	if dev {
		entries = append(entries, api.EntryPoint{InputPath: "build/bundle/reload.js", OutputPath: "dev"})
	}
	opts := options(dev)
	opts.EntryPointsAdvanced = entries
	opts.Format = api.FormatESModule
	opts.Splitting = true
	opts.Metafile = true
	return build(opts)
}

// islandNames lists the folders below frontend/islands that hold an entry,
// islands/<name>/<name>.ts; the other files of a folder are modules of it.
func islandNames() ([]string, error) {
	folders, err := os.ReadDir(islands)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, folder := range folders {
		name := folder.Name()
		if _, err := os.Stat(filepath.Join(islands, name, name+".ts")); err == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// buildStyle joins the style sheets in the order in which they may refine one
// another: tokens, primitives, pages, islands.
func buildStyle(dev bool) ([]file, error) {
	var sheet strings.Builder
	for _, pattern := range []string{
		"frontend/static/base.css",
		"frontend/ui/css/*.css",
		"frontend/page/css/*.css",
		islands + "/*/*.css",
	} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			fmt.Fprintf(&sheet, "@import %q;\n", "./"+filepath.ToSlash(path))
		}
	}
	if sheet.Len() == 0 {
		return nil, nil
	}
	opts := options(dev)
	opts.Stdin = &api.StdinOptions{Contents: sheet.String(), ResolveDir: ".", Sourcefile: "app.css", Loader: api.LoaderCSS}
	opts.EntryNames = "app-[hash]"
	opts.Metafile = true
	files, err := build(opts)
	for i := range files {
		if strings.HasSuffix(files[i].name, ".css") {
			files[i].plain = "app.css"
		}
	}
	return files, err
}

func options(dev bool) api.BuildOptions {
	opts := api.BuildOptions{
		Bundle:     true,
		Write:      false,
		Outdir:     outDir,
		EntryNames: "[name]-[hash]",
		ChunkNames: "chunk-[hash]",
		AssetNames: "[name]-[hash]",
		Target:     api.ES2022,
		// node_modules may be a link, as in a second worktree; entries are known
		// by the path they were named by.
		PreserveSymlinks: true,
		Tsconfig:         "frontend/tsconfig.json",
		Charset:          api.CharsetUTF8,
		LegalComments:    api.LegalCommentsInline,
		Loader: map[string]api.Loader{
			".svg": api.LoaderFile, ".png": api.LoaderFile, ".woff2": api.LoaderFile,
		},
		MinifyWhitespace:  !dev,
		MinifyIdentifiers: !dev,
		MinifySyntax:      !dev,
		LogLevel:          api.LogLevelSilent,
	}
	if dev {
		opts.Sourcemap = api.SourceMapInline
	}
	return opts
}

// build runs esbuild and names its outputs; every message is reported with the
// place that it is about.
func build(opts api.BuildOptions) ([]file, error) {
	result := api.Build(opts)
	for _, line := range api.FormatMessages(result.Warnings, api.FormatMessagesOptions{Kind: api.WarningMessage}) {
		fmt.Fprint(os.Stderr, line)
	}
	if len(result.Errors) > 0 {
		lines := api.FormatMessages(result.Errors, api.FormatMessagesOptions{})
		return nil, errors.New(strings.TrimSpace(strings.Join(lines, "")))
	}
	plain, err := plainNames(result.Metafile, opts.EntryPointsAdvanced)
	if err != nil {
		return nil, err
	}
	root, err := filepath.Abs(outDir)
	if err != nil {
		return nil, err
	}
	var files []file
	for _, out := range result.OutputFiles {
		name, err := filepath.Rel(root, out.Path)
		if err != nil {
			return nil, err
		}
		name = filepath.ToSlash(name)
		files = append(files, file{name: name, plain: plain[name], body: out.Contents})
	}
	return files, nil
}

// plainNames reads from esbuild's account of its work which output belongs to
// which entry, so that nothing has to be guessed from hashed names.
func plainNames(metafile string, entries []api.EntryPoint) (map[string]string, error) {
	var meta struct {
		Outputs map[string]struct {
			EntryPoint string `json:"entryPoint"`
			CSSBundle  string `json:"cssBundle"`
		} `json:"outputs"`
	}
	if err := json.Unmarshal([]byte(metafile), &meta); err != nil {
		return nil, fmt.Errorf("esbuild's metafile: %w", err)
	}
	below := func(path string) string { return strings.TrimPrefix(path, outDir+"/") }
	names := map[string]string{}
	for path, out := range meta.Outputs {
		for _, entry := range entries {
			if strings.TrimPrefix(entry.InputPath, "./") == out.EntryPoint {
				names[below(path)] = entry.OutputPath + ".js"
				if out.CSSBundle != "" {
					names[below(out.CSSBundle)] = entry.OutputPath + ".css"
				}
			}
		}
	}
	return names, nil
}

// buildIcons takes the icons as they are.
func buildIcons() ([]file, error) {
	var files []file
	for _, pattern := range []string{"frontend/static/icons/*.svg", "frontend/static/icons/*.png"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			body, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			ext := filepath.Ext(path)
			base := strings.TrimSuffix(filepath.Base(path), ext)
			files = append(files, file{
				name:  "icons/" + base + "-" + hash(body) + ext,
				plain: "icons/" + base + ext,
				body:  body,
			})
		}
	}
	return files, nil
}

// hash names a file that esbuild did not name, in eight characters of its kind.
func hash(body []byte) string {
	sum := sha256.Sum256(body)
	return base32.StdEncoding.EncodeToString(sum[:])[:8]
}
