package review

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/compare"
)

// Sentence is what a vote signs, word for word as the person saw it. It names
// the comparisons with the baseline that were there, or says that none was. It
// does not say that anybody read them.
func Sentence(name string, role ledger.Role, c Candidate, evidence []Evidence, others int, label Label, value Value) string {
	return fmt.Sprintf("I, %s, as %s, vote on %s %s (%s) proposed for %s%s. To the question “%s” I answer: %s.",
		name, role, c.Subject.Kind, c.Name, Grouped(c.Subject.Digest), c.Environment, compared(c, evidence, others), label.Question, value.Words)
}

// compared says which comparisons with the baseline there were, and of whose
// answers they are.
func compared(c Candidate, evidence []Evidence, others int) string {
	if c.Subject.Kind != SubjectModel || c.Baseline.None() || c.Baseline.Digest == c.Subject.Digest {
		return ""
	}
	if len(evidence) == 0 {
		return ", before there was a comparison with " + c.Baseline.Name
	}
	noun, digests := "was the comparison", make([]string, len(evidence))
	var sides [2][]compare.Source
	for i, e := range evidence {
		digests[i] = Grouped(e.Digest)
		sides[0], sides[1] = append(sides[0], e.Candidate...), append(sides[1], e.Baseline...)
	}
	if len(evidence) > 1 {
		noun = "were the comparisons"
	}
	said := fmt.Sprintf(", when there %s with %s (%s)", noun, c.Baseline.Name, strings.Join(digests, "; "))
	for i, name := range []string{c.Name, c.Baseline.Name} {
		if answers := answersOf(sides[i]); answers != "" {
			said += fmt.Sprintf(", of the answers of %s: %s", name, answers)
		}
	}
	switch {
	case others == 1:
		said += ", while 1 other set of answers is not read"
	case others > 1:
		said += fmt.Sprintf(", while %d other sets of answers are not read", others)
	}
	return said
}

// answersOf says of each set of answers which it is, who made it and when.
func answersOf(sources []compare.Source) string {
	var said []string
	for _, s := range sources {
		who := "computed here from " + s.Model.Short()
		if s.Origin != compare.OriginComputed {
			name := s.Name
			if name == "" {
				name = string(s.By)
			}
			who = "uploaded by " + strconv.Quote(name) // quoted, so that no name can end it
		}
		one := fmt.Sprintf("set %d (%s), %s on %s", s.Version, s.Digest.Short(), who, s.At.UTC().Format("2 January 2006"))
		if !slices.Contains(said, one) {
			said = append(said, one)
		}
	}
	return strings.Join(said, "; ")
}

// WithdrawalSentence is what taking one's own vote back signs.
func WithdrawalSentence(name string, c Candidate, v Vote) string {
	return fmt.Sprintf("I, %s, withdraw my answer “%s” on %s %s (%s) for %s.", name, v.Words, c.Subject.Kind, c.Name, Grouped(c.Subject.Digest), c.Environment)
}

// RevocationSentence is what a withdrawn approval signs.
func RevocationSentence(name string, c Candidate, reason string) string {
	return fmt.Sprintf("I, %s, withdraw the approval of %s %s (%s) for %s, because: %s",
		name, c.Subject.Kind, c.Name, Grouped(c.Subject.Digest), c.Environment, strings.TrimSpace(reason))
}

// Grouped writes a digest in groups of four, so that eyes can follow it.
func Grouped(d ledger.Digest) string {
	hex := d.Hex()
	var groups []string
	for len(hex) > 4 {
		groups, hex = append(groups, hex[:4]), hex[4:]
	}
	return "sha256 " + strings.Join(append(groups, hex), " ")
}

// ByEar writes the first 48 bits of a digest as six words, for two people who
// compare what is on their screens by telephone. Each word stands for a byte.
func ByEar(d ledger.Digest) string {
	hex := d.Hex()
	if len(hex) < 12 {
		return ""
	}
	words := make([]string, 6)
	for i := range words {
		words[i] = earWord(unhex(hex[2*i])<<4 | unhex(hex[2*i+1]))
	}
	return strings.Join(words, " ")
}

func unhex(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// When writes a time in a time zone with its name, as signed texts show it.
func When(t time.Time, zone string) string {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		loc = time.UTC
	}
	return t.In(loc).Format("2 January 2006 15:04 MST")
}
