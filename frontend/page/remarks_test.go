package page

import (
	"slices"
	"testing"
)

func TestACommentLinksIntoThisProjectAndNowhereElse(t *testing.T) {
	t.Parallel()
	p := ProjectLink{Slug: "bank"}
	for text, want := range map[string][]Part{
		"see https://adjudge.example/projects/bank/compare/ab?quadrant=b#i3.": {{Text: "see "}, {"https://adjudge.example/projects/bank/compare/ab?quadrant=b#i3", "/projects/bank/compare/ab?quadrant=b#i3"}, {Text: "."}},
		"/projects/bank/runs/3\nis better":                                    {{"/projects/bank/runs/3", "/projects/bank/runs/3"}, {Text: "\nis better"}},
		"https://evil.example/projects/other/x":                               {{Text: "https://evil.example/projects/other/x"}},
		"javascript:/projects/bank/x":                                         {{Text: "javascript:/projects/bank/x"}},
		"/projects/bank/../../sign-out":                                       {{Text: "/projects/bank/../../sign-out"}},
		"  two  spaces ":                                                      {{Text: "  two  spaces "}},
		"":                                                                    nil,
	} {
		if got := parts(p, text); !slices.Equal(got, want) {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
