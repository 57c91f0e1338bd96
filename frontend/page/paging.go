package page

import (
	"net/url"
	"strconv"
	"strings"
)

// mostRows is how many rows of people stand on one page: what somebody can look
// over, and what a browser draws at once.
const mostRows = 100

// Paging says which part of a list of people a page shows.
type Paging struct {
	Href    string // of the list
	Search  string // words that each row shown has
	Overdue bool   // of the access review: only rows that wait
	Number  int    // of the page, from 1
	Pages   int
	First   int // of the rows shown, from 1; 0 where none are
	Last    int
	Total   int // rows that the search leaves
}

// NewPaging reads which part of a list is asked for.
func NewPaging(href string, query url.Values) Paging {
	n, _ := strconv.Atoi(query.Get("page")) // anything else is the first
	return Paging{Href: href, Search: strings.TrimSpace(query.Get("q")), Overdue: query.Get("overdue") != "", Number: max(n, 1)}
}

// Shows reports whether a row with these words belongs to what is searched for:
// each word of the search stands in one of them.
func (p Paging) Shows(words ...string) bool {
	text := strings.ToLower(strings.Join(words, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(p.Search)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// paged returns the rows of the page that is asked for, of those that shows
// leaves.
func paged[T any](p *Paging, all []T, shows func(T) bool) []T {
	var left []T
	for _, row := range all {
		if shows(row) {
			left = append(left, row)
		}
	}
	p.Total, p.Pages = len(left), max(1, (len(left)+mostRows-1)/mostRows)
	p.Number = min(p.Number, p.Pages)
	from := (p.Number - 1) * mostRows
	to := min(from+mostRows, len(left))
	if p.First, p.Last = 0, to; to > 0 {
		p.First = from + 1
	}
	return left[from:to]
}

// Needed reports whether there is more than stands on one page, or less because
// of what is searched for.
func (p Paging) Needed() bool { return p.Pages > 1 || p.Search != "" || p.Overdue }

// Link is the address of one of its pages; forms on a page are sent there too,
// so that an answer shows the same rows again.
func (p Paging) Link(number int, href string) string {
	query := url.Values{}
	if p.Search != "" {
		query.Set("q", p.Search)
	}
	if p.Overdue {
		query.Set("overdue", "yes")
	}
	if number > 1 {
		query.Set("page", strconv.Itoa(number))
	}
	if len(query) == 0 {
		return href
	}
	return href + "?" + query.Encode()
}
