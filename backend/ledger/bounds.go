package ledger

// MostRead is how many bytes of texts and payloads a page of a list holds, but
// for its last row, which may go beyond. A page ends there though more rows were
// asked for, and says that there are more: what one request costs in memory
// depends on this number, not on what somebody imported.
const MostRead = 4 << 20

// MostExcerpt is how many characters of a text are shown where the whole of it
// stands on a page of its own.
const MostExcerpt = 2000

// Excerpt returns the beginning of a text, and whether it is not all of it.
func Excerpt(text string) (string, bool) {
	if len(text) <= MostExcerpt {
		return text, false
	}
	n := 0
	for at := range text {
		if n++; n > MostExcerpt {
			return text[:at], true
		}
	}
	return text, false
}
