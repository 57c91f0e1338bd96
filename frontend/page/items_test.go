package page

import (
	"net/url"
	"testing"
)

// A filter survives its address: what a link says is what the page shows.
func FuzzItemQuery(f *testing.F) {
	f.Add("dataset=d&status=labeled&label=a+b&predicted=%C3%A9&person=p&disagrees=true&q=x%26y")
	f.Add("q=&q=2&disagrees=1;label=")
	f.Fuzz(func(t *testing.T, query string) {
		q, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		filter := ItemQuery(q)
		again, err := url.ParseQuery(values(filter).Encode())
		if err != nil || ItemQuery(again) != filter {
			t.Fatalf("%q is %+v, and its own address is %+v, %v", query, filter, ItemQuery(again), err)
		}
	})
}
