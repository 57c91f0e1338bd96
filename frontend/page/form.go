package page

import "context"

// FormView is what a form shows again after it was refused: what was typed, what
// is wrong with which field, and what is wrong with all of it.
type FormView struct {
	Values  map[string]string
	Errors  map[string]string
	Message string
}

// Refused returns the view of a form whose values were refused with err, in the
// language of ctx. A
// message that belongs to no field stands above the form.
func Refused(ctx context.Context, values map[string]string, err error) FormView {
	f := FormView{Values: values, Errors: Refusals(ctx, err)}
	if len(f.Errors) == 0 {
		f.Message = Refusal(ctx, err)
	}
	return f
}

// Value returns what stands in a field.
func (f FormView) Value(name string) string { return f.Values[name] }

// Error returns what is wrong with a field, "" for nothing.
func (f FormView) Error(name string) string { return f.Errors[name] }
