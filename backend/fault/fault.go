// Package fault holds the one error type that crosses rooms: a kind that
// decides the status, a message for people, and the cause for the log.
//
// Anything that is not a fault is a stranger: it counts as Internal and its
// text stays out of every answer.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what a caller can do about an error.
type Kind string

// The kinds. One table in backend/web maps them to HTTP, one in app to exit codes.
const (
	Invalid         Kind = "invalid"         // the request is wrong; the message names the field and the remedy
	Unauthenticated Kind = "unauthenticated" // nobody is signed in, or the login lapsed
	Denied          Kind = "denied"          // this person may not do this
	NotFound        Kind = "not_found"       // no such thing, or none this person may see
	Conflict        Kind = "conflict"        // somebody else changed it first, or it exists already
	Unmet           Kind = "unmet"           // a rule of the product is not satisfied yet
	TooLarge        Kind = "too_large"       // more bytes, rows or time than a limit allows
	Unavailable     Kind = "unavailable"     // try again later
	Internal        Kind = "internal"        // our mistake
)

// Error is an error with a kind. Message is for people, in English: it names
// the field and the remedy. Format and Args are what it was made from; pages
// look up the format to say it in another language. Field is the request field
// that is wrong, empty if none is. Err is the cause, for the log only.
type Error struct {
	Kind    Kind
	Field   string
	Message string
	Format  string
	Args    []any
	Err     error
}

// Error returns the message, and the cause behind it where there is one.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Message
	case e.Message == "":
		return e.Err.Error()
	}
	return e.Message + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of a kind with a message made from format and args. The
// format is a constant, because it is the key of its translations.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Format: format, Args: args}
}

// Field returns an Invalid error about one field of a request.
func Field(field, format string, args ...any) *Error {
	return New(Invalid, format, args...).At(field)
}

// At says which field of the request the error is about.
func (e *Error) At(field string) *Error {
	e.Field = field
	return e
}

// Say makes a sentence for people that is no error, such as a reason that is
// kept or shown. It is fmt.Sprintf; its name tells readers, and the test that
// collects what needs a translation, that people read the result.
func Say(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// Format marks a format that fmt.Sprintf is given elsewhere, such as in a table
// of sentences, as one that people read the result of; see Say.
func Format(format string) string { return format }

// Wrap says what was being done when err happened. The kind stays that of err,
// so a NotFound from the store is still one at the door; a nil err stays nil.
func Wrap(err error, doing string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// As gives err a kind and a message for people and keeps err as the cause.
func As(kind Kind, err error, format string, args ...any) *Error {
	e := New(kind, format, args...)
	e.Err = err
	return e
}

// KindOf returns the kind of the first fault in err's chain, Internal for a
// stranger and "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}

// Is reports whether err is a fault of this kind.
func Is(err error, kind Kind) bool { return KindOf(err) == kind }

// Unexplained is what a person reads of an error that is our mistake.
const Unexplained = "Something went wrong on our side."

// Readable returns the fault whose message a person may read of err: the first
// in its chain, or nil where there is nothing but what is for the log.
func Readable(err error) *Error {
	if f, ok := errors.AsType[*Error](err); ok && f.Kind != Internal && f.Message != "" {
		return f
	}
	return nil
}

// Message returns what a person may read of err: the message of the first
// fault in its chain, or a sentence that gives nothing away.
func Message(err error) string {
	if f := Readable(err); f != nil {
		return f.Message
	}
	return Unexplained
}

// Fields collects the Invalid errors of a joined error by field, so that a form
// shows all its problems together.
func Fields(err error) map[string]string {
	found := map[string]string{}
	for field, f := range ByField(err) {
		found[field] = f.Message
	}
	return found
}

// ByField collects the errors of a joined error that name a field, by field.
func ByField(err error) map[string]*Error {
	found := map[string]*Error{}
	var walk func(error)
	walk = func(err error) {
		switch e := err.(type) { //nolint:errorlint // it unwraps by itself, branch by branch
		case nil:
		case *Error:
			if _, seen := found[e.Field]; !seen && e.Field != "" {
				found[e.Field] = e
			}
			walk(e.Err)
		case interface{ Unwrap() []error }:
			for _, err := range e.Unwrap() {
				walk(err)
			}
		case interface{ Unwrap() error }:
			walk(e.Unwrap())
		}
	}
	walk(err)
	return found
}
