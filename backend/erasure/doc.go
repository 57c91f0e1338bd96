// Package erasure makes the content of a person or an item unreadable for good,
// while the history and every signature still verify.
//
// What goes and what stays stands in one table (Rules). The plan says it
// beforehand, with numbers, and the same functions that count then decide.
package erasure
