package training

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
)

// Schema describes the parameters of a recipe: the flat subset of JSON Schema
// 2020-12 from which a form can be drawn. Fields keep the order of the file.
type Schema struct {
	Fields []Field
	raw    json.RawMessage
}

// Field is one parameter.
type Field struct {
	Name        string
	Type        string // integer, number, boolean or string
	Title       string
	Description string
	Default     any // int64, float64, bool or string; every field has one
	Minimum     *float64
	Maximum     *float64
	Enum        []string
	MaxLength   int
}

// UnmarshalJSON reads a schema and refuses what a form could not show.
func (s *Schema) UnmarshalJSON(raw []byte) error {
	var top struct {
		Type       string          `json:"type"`
		Properties json.RawMessage `json:"properties"`
	}
	if err := json.Unmarshal(raw, &top); err != nil {
		return err
	}
	if top.Type != "object" {
		return fmt.Errorf("a parameter schema has type object, not %q", top.Type)
	}
	names, err := keysInOrder(top.Properties)
	if err != nil {
		return err
	}
	var properties map[string]struct {
		Type        string          `json:"type"`
		Title       string          `json:"title"`
		Description string          `json:"description"`
		Default     json.RawMessage `json:"default"`
		Minimum     *float64        `json:"minimum"`
		Maximum     *float64        `json:"maximum"`
		Enum        []string        `json:"enum"`
		MaxLength   int             `json:"maxLength"`
	}
	if err := json.Unmarshal(top.Properties, &properties); err != nil {
		return err
	}
	s.raw = slices.Clone(raw)
	for _, name := range names {
		p := properties[name]
		f := Field{Name: name, Type: p.Type, Title: p.Title, Description: p.Description, Minimum: p.Minimum, Maximum: p.Maximum, Enum: p.Enum, MaxLength: p.MaxLength}
		if !slices.Contains([]string{"integer", "number", "boolean", "string"}, f.Type) {
			return fmt.Errorf("parameter %q has type %q; integer, number, boolean and string are known", name, f.Type)
		}
		if f.Title == "" {
			f.Title = name
		}
		if f.Default, err = f.decode(p.Default); err != nil {
			return fmt.Errorf("parameter %q: its default does not fit: %w", name, err)
		}
		s.Fields = append(s.Fields, f)
	}
	return nil
}

// MarshalJSON returns the schema as it was written.
func (s Schema) MarshalJSON() ([]byte, error) {
	if s.raw == nil {
		return []byte(`{"type":"object","properties":{}}`), nil
	}
	return s.raw, nil
}

func keysInOrder(object json.RawMessage) ([]string, error) {
	var keys []string
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("properties are not an object: %w", err)
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		keys = append(keys, t.(string))
		var skip json.RawMessage
		if err := dec.Decode(&skip); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// Complete checks given parameters, fills in defaults, and returns canonical
// JSON: every field once, in the schema's order, numbers as numbers. The error
// joins one Invalid fault per wrong parameter, its field "params.<name>".
func (s Schema) Complete(given map[string]json.RawMessage) (json.RawMessage, error) {
	var out bytes.Buffer
	var problems []error
	out.WriteByte('{')
	for i, f := range s.Fields {
		v := f.Default
		if raw, present := given[f.Name]; present {
			var err error
			if v, err = f.decode(raw); err != nil {
				problems = append(problems, fault.Field("params."+f.Name, "%s: %s.", f.Title, err))
				continue
			}
		}
		encoded, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(&out, "%q:%s", f.Name, encoded)
	}
	out.WriteByte('}')
	for _, name := range sortedKeys(given) {
		if !slices.ContainsFunc(s.Fields, func(f Field) bool { return f.Name == name }) {
			problems = append(problems, fault.Field("params."+name, "There is no parameter %q. This recipe takes %s.", name, strings.Join(s.names(), ", ")))
		}
	}
	if len(problems) > 0 {
		first := &fault.Error{Kind: fault.Invalid, Err: join(problems)}
		if p, ok := errors.AsType[*fault.Error](problems[0]); ok {
			first.Field, first.Message, first.Format, first.Args = p.Field, p.Message, p.Format, p.Args
		}
		return nil, first
	}
	return out.Bytes(), nil
}

// Read turns the texts of a form or of --param k=v into JSON by the type of
// each field. A text that is no value of its type is passed on as a string, so
// that Complete names the field; an empty text means the default.
func (s Schema) Read(texts map[string]string) map[string]json.RawMessage {
	given := map[string]json.RawMessage{}
	for name, text := range texts {
		i := slices.IndexFunc(s.Fields, func(f Field) bool { return f.Name == name })
		trimmed := strings.TrimSpace(text)
		if i >= 0 && trimmed == "" && s.Fields[i].Type != "string" {
			continue
		}
		if i >= 0 && s.Fields[i].Type == "boolean" && trimmed == "on" {
			trimmed = "true"
		}
		if i >= 0 && s.Fields[i].Type != "string" && json.Valid([]byte(trimmed)) {
			given[name] = json.RawMessage(trimmed)
			continue
		}
		quoted, _ := json.Marshal(text)
		given[name] = quoted
	}
	return given
}

func (s Schema) names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}

// decode reads and checks one value. Its errors complete "<title>: …".
func (f Field) decode(raw json.RawMessage) (any, error) {
	var v any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&v); err != nil {
		return nil, errors.New(fault.Say("a value is missing or is not JSON"))
	}
	switch f.Type {
	case "boolean":
		b, ok := v.(bool)
		if !ok {
			return nil, errors.New(fault.Say("%v is neither true nor false", v))
		}
		return b, nil
	case "string":
		text, ok := v.(string)
		switch {
		case !ok:
			return nil, errors.New(fault.Say("%v is not a text", v))
		case len(f.Enum) > 0 && !slices.Contains(f.Enum, text):
			return nil, errors.New(fault.Say("%q is none of %s", text, strings.Join(f.Enum, ", ")))
		case f.MaxLength > 0 && len(text) > f.MaxLength:
			return nil, errors.New(fault.Say("the text has %d bytes, at most %d are allowed", len(text), f.MaxLength))
		}
		return text, nil
	}
	number, ok := v.(json.Number)
	if !ok {
		return nil, errors.New(fault.Say("%q is not a number", fmt.Sprint(v)))
	}
	x, err := number.Float64()
	switch {
	case err != nil || math.IsInf(x, 0):
		return nil, errors.New(fault.Say("%s is not a number that can be used", number))
	case f.Minimum != nil && x < *f.Minimum, f.Maximum != nil && x > *f.Maximum:
		return nil, errors.New(fault.Say("%s is out of range; %s", number, f.Range()))
	case f.Type == "integer" && x != math.Trunc(x):
		return nil, errors.New(fault.Say("%s is not a whole number", number))
	case f.Type == "integer":
		return int64(x), nil
	}
	return x, nil
}

// Range says in words which numbers are allowed, or nothing.
func (f Field) Range() string {
	text := func(v *float64) string { return strconv.FormatFloat(*v, 'g', -1, 64) }
	switch {
	case f.Minimum != nil && f.Maximum != nil:
		return fault.Say("it must lie between %s and %s", text(f.Minimum), text(f.Maximum))
	case f.Minimum != nil:
		return fault.Say("it must be at least %s", text(f.Minimum))
	case f.Maximum != nil:
		return fault.Say("it must be at most %s", text(f.Maximum))
	}
	return ""
}

// Text returns a value of the field as a form shows it.
func (f Field) Text(v any) string {
	switch v := v.(type) {
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case nil:
		return ""
	}
	return fmt.Sprint(v)
}
