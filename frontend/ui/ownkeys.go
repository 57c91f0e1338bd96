package ui

import "context"

type ownKeysKey struct{}

// WithKeys gives a request the keys that its person moved, by what they do.
func WithKeys(ctx context.Context, own map[string]string) context.Context {
	if len(own) == 0 {
		return ctx
	}
	return context.WithValue(ctx, ownKeysKey{}, own)
}

// Combo returns the combination that does something for whoever reads the page.
func Combo(ctx context.Context, does string) string {
	own, _ := ctx.Value(ownKeysKey{}).(map[string]string)
	if combo := own[does]; combo != "" {
		return combo
	}
	for _, s := range KeyScopes() {
		for _, k := range s.Keys {
			if k.Does == does {
				return k.Combo
			}
		}
	}
	return ""
}

// AriaCombo is Combo as aria-keyshortcuts wants it.
func AriaCombo(ctx context.Context, does string) string { return ariaKeys(Combo(ctx, does)) }

// MovedKeys returns the combinations that the reader moved and that hold on a
// page: what the scripts of the page listen for, by what is pressed for it now.
func MovedKeys(ctx context.Context, page string) map[string]string {
	moved := map[string]string{}
	for _, s := range KeysFor(page) {
		for _, k := range s.Keys {
			if combo := Combo(ctx, k.Does); combo != k.Combo {
				moved[combo] = k.Combo
			}
		}
	}
	return moved
}
