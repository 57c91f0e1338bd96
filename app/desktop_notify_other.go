//go:build desktop && !linux

package app

import "context"

// asNotified returns the text: macOS and Windows read no markup in it.
func asNotified(_ context.Context, text string) string { return text }
