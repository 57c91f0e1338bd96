package store

import "strings"

// File returns the file that holds a SQLite database, and "" for a database of
// another kind.
func File(address string) string {
	if strings.Contains(address, "://") {
		return ""
	}
	return strings.TrimPrefix(address, "sqlite:")
}
