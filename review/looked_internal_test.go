package review

import (
	"testing"
	"time"
)

func TestAPageIsCreditedNoMoreTimeThanPassed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		claimed, since time.Duration // since the person's last look; negative: there was none
		want           time.Duration
	}{
		"what it says":                         {15 * time.Second, 16 * time.Second, 15 * time.Second},
		"no more than passed":                  {15 * time.Second, 4 * time.Second, 4 * time.Second},
		"nothing before anything was seen":     {15 * time.Second, -1, 0},
		"no more than one report can bring":    {time.Hour, 2 * time.Hour, longestReport},
		"a second page at the same moment":     {15 * time.Second, 0, 0},
		"nothing for a time that runs back":    {-time.Minute, time.Minute, 0},
		"nothing while the clock stood behind": {time.Second, -time.Hour, 0},
	} {
		last := now.Add(-c.since)
		if c.since == -1 {
			last = time.Time{}
		}
		if got := credited(c.claimed, last, now); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTheClauseSaysWhatWasRecordedAndNoMore(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	looked := Looked{Timed: true, Parts: []Part{
		{Thing: Thing{Kind: LookCandidate}, Name: "intents@3", Look: Look{First: at, Millis: 20_400}},
		{Thing: Thing{Kind: LookComparison}, Name: "intents@2", On: "gold", Items: 240, Asked: true, Look: Look{First: at, Millis: 80_000, Items: []int{3, 5}}},
		{Thing: Thing{Kind: LookModel}, Name: "intents@3", Asked: true},
		{Thing: Thing{Kind: LookSnapshot}, Name: "gold", Asked: true, Look: Look{First: at, Millis: 3_780_000}},
	}}
	for name, c := range map[string]struct {
		looked Looked
		want   string
	}{
		"with times": {looked, " Before that, as this server recorded, I opened: this candidate's page (20 s); " +
			"the comparison with intents@2 on gold (1 min 20 s), 2 of its 240 items; the page of the snapshot gold (1 h 3 min)."},
		"without":  {Looked{Parts: looked.Parts[1:2]}, " Before that, as this server recorded, I opened: the comparison with intents@2 on gold, 2 of its 240 items."},
		"no name":  {Looked{Parts: []Part{{Thing: Thing{Kind: LookSnapshot}, Name: "Snapshot 2", Look: Look{First: at}}}}, " Before that, as this server recorded, I opened: the page of Snapshot 2."},
		"nothing":  {Looked{Timed: true, Parts: looked.Parts[2:3]}, " This server recorded nothing of it that I opened before."},
		"the file": {Looked{Parts: []Part{{Thing: Thing{Kind: LookDocument}, Name: "a@1", On: "b", Look: Look{First: at}}}}, " Before that, as this server recorded, I opened: the document of the comparison with a@1 on b."},
	} {
		if got := c.looked.Clause(); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}
