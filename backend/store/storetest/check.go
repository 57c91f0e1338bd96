package storetest

import (
	"reflect"
	"testing"

	"github.com/adjudge/adjudge/backend/store"
)

// view runs f in a view and fails the test on its error.
func view(t *testing.T, s *store.Store, f func(*store.Tx) error) {
	t.Helper()
	if err := s.View(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// equal fails the test unless got is want, field by field.
func equal(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n\t%+v\nwant\n\t%+v", got, want)
	}
}
