//go:build e2e

package app

import (
	"net/http"
	"strings"
	"testing"
)

// The first start, an invitation, roles, a token and signing out, as people
// meet them, with the keyboard where it matters.
func TestPeopleArriveGetRolesAndLeave(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(1, nil))

	anna := s.visit()
	anna.forgive(`status of 4(22|04)`) // forms that are refused on purpose
	anna.open(s.firstLink())
	anna.looks("first-start")
	anna.fill("Name", "Anna Ω")
	anna.fill("Sign-in name", "anna")
	anna.fill("Password", "short")
	anna.press("Enter")
	anna.waitText("#password-error", "at least 10 characters")
	if zone := ask[string](anna, `document.querySelector("#time_zone").value`); zone == "" {
		t.Error("the time zone of the device is not offered")
	}
	if ask[string](anna, `document.querySelector("#name").value`) != "Anna Ω" {
		t.Error("what was typed is gone after the refusal")
	}
	anna.fill("Password", password)
	anna.press("Enter")
	anna.waitText(".whoami", "Anna Ω")
	anna.waitText(".whoami", "Admin")

	// An invitation is a link, shown once.
	anna.open("/people")
	anna.fill("Sign-in name", "bo")
	anna.press("Enter")
	anna.waitText(".copyline", "/welcome?token=")
	anna.looks("people")
	link := anna.text(".copyline code")

	bo := s.visit()
	bo.forgive(`status of 4(03|04|22|29)`)
	bo.open(strings.TrimPrefix(link, s.url))
	bo.fill("Name", "Bo")
	bo.fill("Password", password)
	bo.press("Enter")
	bo.waitText(".whoami", "Bo")
	bo.open("/projects/news/people")
	bo.waitText("main", "No such project")
	bo.open("/people")
	bo.waitText("main", "Only an admin")

	// An error says what became of the request and what waits on this device.
	bo.open("/nothing-here")
	bo.waitText("main", "Nothing was changed")
	bo.waitText("main", "No answers wait on this device")
	bo.looks("problem")

	// The matrix gives roles, by keyboard alone.
	anna.open("/projects/news/people")
	anna.fill("Sign-in name", "bo")
	anna.press("Enter")
	anna.waitText("table", "Bo")
	node := `document.querySelector('input[aria-label="Bo: Reviewer"]')`
	ask[bool](anna, `(`+node+`.focus(), true)`)
	anna.press("Space")
	anna.looks("members")
	anna.click("button", "Save roles")
	anna.waitText("#roles-reason-error", "why the roles change")
	anna.wait(node + `.checked`)
	anna.fill("Why it changes", "knows the subject")
	ask[bool](anna, `(document.documentElement.dataset.leaving = "1", true)`)
	anna.click("button", "Save roles")
	anna.wait(`document.readyState === "complete" && !document.documentElement.dataset.leaving`)
	anna.waitText(".banner", "Roles saved")
	anna.wait(node + `.checked`)
	bo.open("/projects/news/people")
	bo.waitText(".whoami", "Reviewer")

	// A token is shown once and works.
	anna.open("/tokens")
	anna.fill("Name", "CI")
	anna.press("Enter")
	anna.waitText(".copyline", "adj_")
	anna.looks("tokens")
	secret := anna.text(".copyline code")
	if code := s.apiAs(secret, http.MethodGet, "/projects", nil, nil); code != http.StatusForbidden {
		t.Errorf("a gate token lists projects: %d", code)
	}
	anna.open("/tokens")
	if strings.Contains(anna.text("main"), secret) {
		t.Error("the token is shown again")
	}

	// A new password ends the other browsers; one key locks, and somebody else may take the seat.
	other := s.signIn("bo")
	other.forgive(`status of 4(01|22|29)`)
	bo.open("/account")
	bo.looks("account")
	bo.fill("Password now", password)
	bo.fill("New password", "another "+password)
	bo.press("Enter")
	bo.waitText(".banner", "The new password holds")
	other.open("/account")
	other.wait(`location.pathname === "/sign-in"`)
	other.looks("sign-in")
	bo.press("Alt+l")
	bo.wait(`location.pathname === "/locked"`)
	bo.click("link", "Switch person")
	bo.wait(`location.pathname === "/sign-in"`)
	bo.fill("Sign-in name", "bo")
	bo.fill("Password", password)
	bo.press("Enter")
	bo.waitText(".banner", "do not belong together")
	bo.fill("Password", "another "+password)
	bo.press("Enter")
	bo.waitText(".whoami", "Bo")
}

// Enter in the field of a reason does what the form is for: it saves roles and
// takes a role away, and neither makes a link nor confirms. A reason that is
// missing is asked for in its row, which has the focus.
func TestEnterInAReasonDoesWhatTheFormIsFor(t *testing.T) {
	t.Parallel()
	s := startSiteWith(t, seedItems(1, nil))
	visitor := s.firstAdmin("Anna")
	visitor.forgive(`status of 422`)
	s.person("bo", "news", "annotator")
	anna := byKeys(visitor)
	anna.open("/projects/news/people")
	anna.skip()
	anna.tick("Bo: Reviewer", true)
	anna.reach("textbox", "Why it changes")
	anna.write("second shift")
	anna.follow("Enter")
	anna.waitText(".banner", "Roles saved")

	anna.open("/projects/news/people/review")
	anna.skip()
	anna.reach("DisclosureTriangle", "Take away: the role Annotator of Bo")
	anna.keys("Enter")
	anna.reach("textbox", "Why it changes")
	anna.follow("Enter")
	anna.wait(`document.querySelector("[aria-invalid=true]")`)
	anna.stands("textbox", "Why it changes")
	anna.write("moved on")
	anna.follow("Enter")
	anna.waitText(".banner", "taken away")
	if rows := ask[string](visitor, `[...document.querySelectorAll("tbody tr")].map((r) => r.cells[1].innerText).join()`); rows != "Reviewer" {
		t.Errorf("left: %s", rows)
	}
}
