//go:build !desktop

package app

import "github.com/spf13/cobra"

// windowCommand is nil in a build without a window.
func windowCommand() *cobra.Command { return nil }
