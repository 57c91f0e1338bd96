package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/adjudge/adjudge/backend/fault"
)

// mostAnswer is how many bytes the rows of one answer take, but for its last row:
// a list ends there and says that there is more. What the store reads for a list
// that has pages is bounded alike (ledger.MostRead); in JSON a text may take more. A
// list that is read as a whole is in memory as a whole, so its rows are short and few.
const mostAnswer = 8 << 20

// pageOf draws the rows that were read of a list, up to mostAnswer bytes. place
// says where a row stands, to be passed as after; more says that the list goes on
// behind the rows.
func pageOf[R, T any](rows []R, draw func(R) T, place func(R) string, more bool) List[T] {
	list := List[T]{Items: make([]T, 0, len(rows))}
	room := mostAnswer
	for i, row := range rows {
		body := draw(row)
		list.Items = append(list.Items, body)
		room -= bytesOf(body)
		if i < len(rows)-1 && room <= 0 || i == len(rows)-1 && more {
			list.Next = place(row)
			break
		}
	}
	return list
}

// bytesOf is what a value takes in an answer.
func bytesOf(v any) int {
	text, err := json.Marshal(v)
	if err != nil {
		return 0 // the answer itself will fail, and say why
	}
	return len(text)
}

// whole is the body of a list that is read as a whole, because its rows are short
// and few. It is cut to pages like any other; operation does it.
type whole interface{ from(after string) error }

// from leaves the rows behind a place, as many as an answer holds. A place says
// which row the page before ended with, so that rows that come or go meanwhile
// repeat and skip none. It is Invalid where that row is gone.
func (l *List[T]) from(after string) error {
	begin := 0
	if after != "" {
		at, key, named := strings.Cut(after, "-")
		n, err := strconv.Atoi(at)
		if err != nil || n < 1 || !named {
			return fault.Field("after", "%.40q is no place in a list; pass the next of the page before.", after)
		}
		is := func(row T) bool { return keyOf(row) == key }
		if begin = n; n > len(l.Items) || !is(l.Items[n-1]) {
			begin = slices.IndexFunc(l.Items, is) + 1
		}
		if begin == 0 {
			return fault.Field("after", "The list has changed: the row that the page before ended with is gone. Read it from the beginning.")
		}
	}
	l.Items = l.Items[begin:]
	room := mostAnswer
	for i, row := range l.Items {
		if room -= bytesOf(row); room <= 0 && i < len(l.Items)-1 {
			l.Items, l.Next = l.Items[:i+1], strconv.Itoa(begin+i+1)+"-"+keyOf(row)
			break
		}
	}
	return nil
}

// keyOf tells a row of a list from the others: by its id or digest, else by all of
// it.
func keyOf(row any) string {
	text, err := json.Marshal(row)
	if err != nil {
		return "" // the answer itself will fail, and say why
	}
	var names struct {
		ID     string `json:"id"`
		Digest string `json:"digest"`
	}
	if json.Unmarshal(text, &names) == nil && names.ID+names.Digest != "" {
		text = []byte(names.ID + "\x00" + names.Digest)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// from cuts the body, if it is a list.
func (a *Answer[T]) from(after string) error {
	if list, is := any(&a.Body).(whole); is {
		return list.from(after)
	}
	return nil
}

// readWhole reports whether the body of an answer is a list and the input has no
// place of its own to begin at.
func readWhole[I, O any]() bool {
	body, has := reflect.TypeFor[O]().FieldByName("Body")
	return has && reflect.PointerTo(body.Type).Implements(reflect.TypeFor[whole]()) && !takesAfter(reflect.TypeFor[I]())
}

func takesAfter(in reflect.Type) bool {
	for i := range in.NumField() {
		f := in.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("query"), ","); name == "after" || name == "before" || f.Anonymous && f.Type.Kind() == reflect.Struct && takesAfter(f.Type) {
			return true
		}
	}
	return false
}

// afterParameter describes the place where a list begins.
func afterParameter() *huma.Param {
	return &huma.Param{Name: "after", In: "query", Description: "The next of the page before", Schema: &huma.Schema{Type: huma.TypeString}}
}

type afterKey struct{}

// withAfter keeps the place that a request asks for.
func withAfter(ctx context.Context, after string) context.Context {
	return context.WithValue(ctx, afterKey{}, after)
}

func afterIn(ctx context.Context) string {
	after, _ := ctx.Value(afterKey{}).(string)
	return after
}
