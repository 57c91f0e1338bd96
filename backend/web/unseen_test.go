package web

import "testing"

func TestWhatNobodySeesIsMarkedOnEveryPage(t *testing.T) {
	t.Parallel()
	const rlo = `<span class="unseen" title="right-to-left override (U+202E)">RLO</span>`
	for in, want := range map[string]string{
		"<p>plain – text</p>":                           "<p>plain – text</p>",
		"<p>pay\u202egpj.exe</p>":                       "<p>pay" + rlo + "gpj.exe</p>",
		"<p title=\"a\u202eb\">x</p>":                   "<p title=\"a⟦RLO⟧b\">x</p>",
		"<p aria-label=\"\u2066\" data-x=\"\u2066\">":   "<p aria-label=\"⟦LRI⟧\" data-x=\"\u2066\">",
		"<input value=\"a\u202eb\"/>":                   "<input value=\"a\u202eb\"/>",
		"<textarea>a\u202eb</textarea>\u202e":           "<textarea>a\u202eb</textarea>" + rlo,
		"<title>a\u202eb</title>":                       "<title>a⟦RLO⟧b</title>",
		"<option value=\"\u202e\">\u202e</option>":      "<option value=\"\u202e\">⟦RLO⟧</option>",
		"<p>می\u200cخواهم 👩\u200d⚕</p>":                 "<p>می\u200cخواهم 👩\u200d⚕</p>",
		"<p>pay\u200bpal</p>":                           `<p>pay<span class="unseen" title="zero width space (U+200B)">ZWSP</span>pal</p>`,
		"<svg aria-label=\"x > y\"><b>\u00ad</b></svg>": `<svg aria-label="x > y"><b><span class="unseen" title="soft hyphen (U+00AD)">SHY</span></b></svg>`,
	} {
		if got := string(markUnseen([]byte(in))); got != want {
			t.Errorf("%+q\n got %+q\nwant %+q", in, got, want)
		}
	}
}
