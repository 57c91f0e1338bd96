package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// testIslands bundles each island test for node, which reads no TypeScript,
// and runs them all with node's own test runner.
func testIslands() error {
	tests, err := filepath.Glob(islands + "/*/*.test.ts")
	if err != nil {
		return err
	}
	if len(tests) == 0 {
		fmt.Println("no island has a test")
		return nil
	}
	dir, err := os.MkdirTemp("", "adjudge-islands-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	opts := options(true)
	opts.EntryPoints = tests
	opts.EntryNames = "[dir]/[name]"
	opts.Outdir, opts.Outbase, opts.OutExtension = dir, islands, map[string]string{".js": ".mjs"}
	opts.Format, opts.Platform, opts.Write = api.FormatESModule, api.PlatformNode, true
	result := api.Build(opts)
	if len(result.Errors) > 0 {
		return errors.New(strings.Join(api.FormatMessages(result.Errors, api.FormatMessagesOptions{}), ""))
	}
	var built []string
	for _, test := range tests {
		rel, err := filepath.Rel(islands, test)
		if err != nil {
			return err
		}
		built = append(built, filepath.Join(dir, strings.TrimSuffix(rel, ".ts")+".mjs"))
	}
	node := exec.Command("node", append([]string{"--test", "--enable-source-maps"}, built...)...)
	node.Stdout, node.Stderr = os.Stdout, os.Stderr
	if err := node.Run(); err != nil {
		return fmt.Errorf("island tests: %w", err)
	}
	return nil
}
