//go:build desktop && !linux

package app

// zoomView is false where the webview's own zoom cannot be reached: the page is
// enlarged by a style.
func zoomView(float64) bool { return false }
