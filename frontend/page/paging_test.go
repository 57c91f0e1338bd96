package page

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/adjudge/adjudge/backend/identity"
)

func TestAListOfManyPeopleIsShownInPagesAndSearched(t *testing.T) {
	t.Parallel()
	v := PeopleView{}
	for i := range 250 {
		v.People = append(v.People, identity.Person{Name: fmt.Sprintf("Person %03d", i), Username: fmt.Sprintf("p%03d", i)})
	}
	for query, want := range map[string]string{
		"":                      "1 to 100 of 250: Person 000, next /people?page=2",
		"page=3":                "201 to 250 of 250: Person 200, next /people?page=4",
		"page=99":               "201 to 250 of 250: Person 200, next /people?page=4",
		"page=-1":               "1 to 100 of 250: Person 000, next /people?page=2",
		"q=PERSON+p01":          "1 to 10 of 10: Person 010, next /people?page=2&q=PERSON+p01",
		"q=nobody":              "0 to 0 of 0: , next /people?page=2&q=nobody",
		"q=person&page=2&x=y%3": "1 to 100 of 250: Person 000, next /people?page=2", // a broken address is the first page
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			values = nil
		}
		v.Show(values)
		first := ""
		if len(v.Shown) > 0 {
			first = v.Shown[0].Name
		}
		if got := fmt.Sprintf("%d to %d of %d: %s, next %s", v.Paging.First, v.Paging.Last, v.Paging.Total, first, v.Paging.Link(v.Paging.Number+1, v.Paging.Href)); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
}
