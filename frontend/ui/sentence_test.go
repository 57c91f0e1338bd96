package ui

import (
	"context"
	"testing"
	"time"
)

func TestASentenceIsSaidInTheLanguageOfThePerson(t *testing.T) {
	t.Parallel()
	ctx := In(context.Background(), german)
	for _, c := range []struct {
		format string
		args   []any
		want   string
	}{
		{"Give the project a name.", nil, "Geben Sie dem Projekt einen Namen."},
		{"Two classes are named %q; rename one of them.", []any{"Sport"}, "Zwei Klassen heißen „Sport“; benennen Sie eine davon um."},
		{"%d classes are too many; %d is the most.", []any{12000, 1000}, "12.000 Klassen sind zu viele; höchstens 1.000 sind erlaubt."},
		{"Candidate %d is %s already.", []any{1204, "approved"}, "Kandidat 1204 ist schon freigegeben."},
		{"To %s you need one of these roles: %s. Ask a lead or an admin.", []any{"label items", "annotator, lead"},
			"Um Elemente zu annotieren, brauchen Sie eine dieser Rollen: Annotation, Leitung. Wenden Sie sich an die Leitung oder die Administration."},
		{"in %d minutes", []any{1}, "in einer Minute"},
		{"%s", []any{"The file is empty."}, "Die Datei ist leer."},
		{"No such format is known, so it stays.", nil, "No such format is known, so it stays."},
	} {
		if got := Sentence(ctx, c.format, c.args...); got != c.want {
			t.Errorf("Sentence(%q, %v) = %q, want %q", c.format, c.args, got, c.want)
		}
	}
	if got := Sentence(context.Background(), "Two classes are named %q; rename one of them.", "Sport"); got != `Two classes are named "Sport"; rename one of them.` {
		t.Errorf("in English: %q", got)
	}
}

// What was said earlier or by another process comes as English text.
func TestASentenceThatWasMadeElsewhereIsSaidInTheLanguageOfThePerson(t *testing.T) {
	t.Parallel()
	ctx := In(context.Background(), german)
	for said, want := range map[string]string{
		"":                   "",
		"The file is empty.": "Die Datei ist leer.",
		"Two classes are named \"a \\\"b\\\"\"; rename one of them.":                                                                                        `Zwei Klassen heißen „a \"b\"“; benennen Sie eine davon um.`,
		"Anna Öz wrote this. It is nobody's sentence.":                                                                                                      "Anna Öz wrote this. It is nobody's sentence.",
		"The trainer ended with exit code 3; the end of the log says why. Trying again in 30 seconds.":                                                      "Der Trainer endete mit dem Exit-Code 3; das Ende des Protokolls sagt, warum. Neuer Versuch in 30 Sekunden.",
		"Dr. Ada voted before the comparison with news@1 was there, and can confirm now: only a vote that names it counts. Or another approver votes: Ben.": "Dr. Ada hat abgestimmt, bevor der Vergleich mit news@1 da war, und kann jetzt bestätigen: Nur eine Stimme, die ihn nennt, zählt. Oder eine andere Person mit der Rolle Freigabe stimmt ab: Ben.",
		"Needs the vote of a reviewer: Anna or Ben. Nobody objects. ☃":                                                                                      "Es fehlt die Stimme einer Person mit der Rolle Review: Anna oder Ben. Niemand hat Einwände. ☃",
		"A decisive gain on 1,204 items: news@2 is right 1.4 points more often than news@1 (95 % interval +0.3 to +2.5).":                                   "Ein entscheidender Gewinn auf 1.204 Elementen: news@2 liegt 1,4 Punkte häufiger richtig als news@1 (95-%-Intervall +0,3 bis +2,5).",
		"Against news@1 on 80 items of Herbst: -0.4 (-2.1 to +1.3) points of accuracy.":                                                                     "Gegen news@1 auf 80 Elementen von Herbst: −0,4 (−2,1 bis +1,3) Punkte Genauigkeit.",
	} {
		if got := Said(ctx, said); got != want {
			t.Errorf("Said(%q)\n = %q\nwant %q", said, got, want)
		}
	}
}

// A text of many sentences that nobody knows must not take long.
func TestALongTextThatIsNoSentenceIsLeftSoon(t *testing.T) {
	t.Parallel()
	text := ""
	for range 500 {
		text += "A person wrote \"this\" at 10:30, and so on and on. "
	}
	begin := time.Now()
	if got := Said(In(context.Background(), german), text); got != text {
		t.Error("the text was changed")
	}
	t.Log(time.Since(begin))
}
