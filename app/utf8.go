package app

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"strings"
	"unicode/utf8"
)

// readText reads a file that a person wrote, to be sent as text. Bytes that are
// no UTF-8 are refused here, with the place: the encoder of JSON would put a
// replacement character for each, and a name that votes print would be another.
func readText(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, usage{err}
	}
	return text, isText(path, text)
}

// isText returns an error naming the line of the first byte that is no UTF-8.
func isText(name string, text []byte) error {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return usage{fmt.Errorf("%s is not UTF-8 text: line %d holds the byte 0x%02X. Save it as UTF-8 and try again",
				name, 1+bytes.Count(text[:i], []byte("\n")), text[i])}
		}
		i += size
	}
	return nil
}

// readable looks through a request before it is encoded, so that no command can
// forget to: a word of the command line may be of another encoding, too.
func readable(request any) error {
	return eachString(reflect.ValueOf(request), "", func(field, text string) error {
		if field == "" {
			field = "The request"
		}
		return isText(field, []byte(text))
	})
}

// eachString calls f with every string of a value and the name of its field.
func eachString(v reflect.Value, field string, f func(field, text string) error) error {
	switch v.Kind() {
	case reflect.String:
		return f(field, v.String())
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return eachString(v.Elem(), field, f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				continue
			}
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if err := eachString(v.Field(i), name, f); err != nil {
				return err
			}
		}
	case reflect.Map:
		for each := v.MapRange(); each.Next(); {
			name := field
			if each.Key().Kind() == reflect.String {
				name = each.Key().String()
				if err := f(field, name); err != nil {
					return err
				}
			}
			if err := eachString(each.Value(), name, f); err != nil {
				return err
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			if v.Kind() == reflect.Slice && v.Type().Name() == "RawMessage" {
				return f(field, string(v.Bytes()))
			}
			return nil // sent as base64, whatever it holds
		}
		for i := range v.Len() {
			if err := eachString(v.Index(i), field, f); err != nil {
				return err
			}
		}
	default:
	}
	return nil
}
