//go:build e2e

package app

import (
	"fmt"
	"strings"
	"testing"
)

// The whole loop without a mouse: from the link of the first start to the gate,
// by Tab, Enter, Space, arrows, typing, and the keys that the help names.
func TestTheWholeLoopByKeyboardAlone(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	v := s.visit()
	ada := byKeys(v)

	ada.step("make the first account")
	ada.open(s.firstLink())
	ada.stands("textbox", "Name")
	ada.write("Ada")
	ada.reach("textbox", "Sign-in name")
	ada.write("ada")
	ada.reach("textbox", "Password")
	ada.write(password)
	ada.follow("Enter")
	ada.waitText(".whoami", "Ada")

	ada.step("create a project")
	ada.skip()
	ada.reach("link", "New project")
	ada.follow("Enter")
	ada.skip()
	ada.reach("textbox", "Name")
	ada.write("Bank")
	ada.reach("textbox", "Classes…")
	ada.write("refund\narrival")
	ada.reach("button", "Create project")
	ada.follow("Enter")

	ada.step("add a class to the schema")
	ada.palette("edit the cl", "Edit the classes")
	ada.skip()
	ada.reach("textbox", "New class in row 3")
	ada.write("pin")
	ada.reach("button", "Save schema")
	ada.follow("Enter")
	ada.waitText("#status", "Schema saved")

	ada.step("import the training items")
	ada.palette("import", "Import data")
	ada.bringIn(moods(t, "train", 0, 90), "Training")
	ada.step("import the evaluation items")
	ada.palette("import", "Import data")
	ada.bringIn(moods(t, "test", 1000, 60), "Evaluation")
	ada.step("import items without labels")
	ada.skip()
	ada.reach("link", "Import another file")
	ada.follow("Enter")
	ada.bringIn(writeCSV(t, "fresh.csv", unlabeled(12)), "Training")

	ada.step("take two snapshots")
	ada.palette("create a sn", "Create a snapshot")
	ada.freeze("train-1", map[string]bool{"train…": true, "test…": false, "fresh…": false})
	ada.palette("create a sn", "Create a snapshot")
	ada.freeze("test-1", map[string]bool{"train…": false, "test…": true, "fresh…": false})
	ada.palette("snapsh", "Snapshots")
	ada.wait(`[...document.querySelectorAll("main tr")].filter((r) => r.innerText.includes("Ready")).length === 2`)

	ada.step("train a first model")
	ada.skip()
	ada.reach("link", "train-1")
	ada.follow("Enter")
	ada.skip()
	ada.reach("link", "Train")
	ada.follow("Enter")
	ada.train(map[string]string{"epochs": "1"})

	ada.step("label four items by their classes' keys")
	ada.palette("label", "Label")
	ada.ready()
	ada.stands("radio", "…")
	ada.reachBack("link", "Skip to the content")
	ada.keys("Enter")
	ada.wait(`document.activeElement.id === "main"`)
	ada.reach("radio", "…")
	for _, key := range []string{"1", "2", "3", "1"} {
		ada.ready()
		before := ada.shown()
		ada.keys(key)
		ada.wait(fmt.Sprintf(`(document.querySelector(".label-card:not([hidden]) .label-text")?.innerText ?? "") !== %q`, before))
		ada.stands("radio", "…")
	}
	ada.ready()
	ada.keys("Control+z")
	ada.said("Taken back")
	ada.ready()
	ada.keys("2")
	ada.said("Saved: arrival")
	ada.allSaved()

	ada.step("freeze the answers and train a second model")
	ada.palette("create a sn", "Create a snapshot")
	ada.freeze("train-2", map[string]bool{"train…": true, "test…": false, "fresh…": true})
	ada.wait(`document.querySelector(".digest .full")`)
	ada.skip()
	ada.reach("link", "Train")
	ada.follow("Enter")
	ada.train(map[string]string{"epochs": "6"})

	ada.step("compare the two models")
	ada.palette("compare", "Compare")
	ada.skip()
	ada.reach("combobox", "Baseline")
	ada.choose("text-linear@1")
	ada.reach("combobox", "Candidate")
	ada.choose("text-linear@2")
	ada.reach("combobox", "Snapshot")
	ada.choose("test-1")
	ada.reach("button", "Compare")
	ada.follow("Enter")
	ada.wait(`document.querySelector(".compared-item")`)

	ada.step("walk the items and filter them")
	ada.keys("j", "j", "k")
	ada.wait(`document.activeElement === document.querySelector(".compared-item")`)
	ada.seen(ada.at())
	ada.reachBack("link", "Both right…")
	ada.keys("Enter")
	ada.wait(`location.search.includes("outcome=both-right") && document.querySelector(".quadrant[aria-current]")`)
	ada.stands("link", "Both right…")
	ada.reach("link", "Clear all filters")
	ada.keys("Enter")
	ada.wait(`!location.search.includes("outcome") && !document.querySelector(".quadrant[aria-current]")`)
	if at := ada.at(); at.body {
		t.Error("clearing the filters loses the focus")
	}

	ada.step("propose the candidate")
	ada.reachBack("link", "Propose to ship")
	ada.follow("Enter")
	ada.skip()
	ada.reach("textbox", "Why…")
	ada.write("Better on refunds.")
	ada.reach("button", "Propose")
	ada.follow("Enter")
	ada.waitText("main", "Better on refunds.")
	candidate := ada.path()

	people := map[string]*hands{}
	ada.step("invite a reviewer and an approver")
	ada.palette("add peo", "Add people and give roles")
	for username, role := range map[string]string{"rita": "Reviewer", "abel": "Approver"} {
		ada.skip()
		ada.reach("textbox", "Sign-in name")
		ada.write(username)
		ada.reach("combobox", "Role")
		ada.choose(role)
		ada.reach("button", "Add")
		ada.follow("Enter")
		ada.waitText(".copyline", "/welcome?token=")
		link := strings.TrimPrefix(ada.text(".copyline code"), s.url)

		one := byKeys(s.visit())
		people[username] = one
		one.step("arrive by the link")
		one.open(link)
		one.stands("textbox", "Name")
		one.write(strings.ToUpper(username[:1]) + username[1:])
		one.reach("textbox", "Password")
		one.write(password)
		one.follow("Enter")
	}
	if code, said := s.exitCode("gate", candidateNumber(candidate)); code != 1 {
		t.Fatalf("before the votes the gate answers %d: %s", code, said)
	}
	for _, username := range []string{"rita", "abel"} {
		one := people[username]
		one.step("find what waits and vote")
		one.skip()
		one.reach("link", "Candidate "+candidateNumber(candidate)+"…")
		one.follow("Enter")
		one.skip()
		one.reach("link", "Vote")
		one.follow("Enter")
		one.skip()
		one.reach("radio", "…")
		one.pickRadio("safe")
		one.reach("textbox", "Comment…")
		one.write("Looked at all of them.")
		one.reach("textbox", "Your password, once more")
		one.write(password)
		one.reach("button", "Sign and vote")
		one.follow("Enter")
		one.waitText(".votes", "safe")
		one.told(username)
	}
	ada.step("see that the gate is open")
	ada.palette("candid", "Candidates")
	ada.skip()
	ada.reach("link", "text-linear@2")
	ada.follow("Enter")
	ada.wait(`document.querySelector("#gate .gateanswer.open")`)
	if code, said := s.exitCode("gate", candidateNumber(candidate)); code != 0 {
		t.Errorf("after the votes the gate answers %d: %s", code, said)
	}
	ada.told("ada")
}

func candidateNumber(path string) string {
	parts := strings.Split(strings.Split(path, "?")[0], "/")
	return parts[len(parts)-1]
}

func unlabeled(n int) [][]string {
	rows := [][]string{{"text"}}
	for i := range n {
		rows = append(rows, []string{fmt.Sprintf("Fresh question %d about a card", i+1)})
	}
	return rows
}

// bringIn imports a file from the page of imports.
func (h *hands) bringIn(file, purpose string) {
	h.t.Helper()
	h.skip()
	h.reach("button", "Drop a file here, or choose one…")
	ask[bool](h.visitor, `(document.documentElement.dataset.leaving = "1", true)`)
	h.hand("Enter", file)
	h.arrived()
	h.wait(`document.querySelector("#import-form")`)
	h.skip()
	h.reach("radio", "…")
	h.pickRadio(purpose + "…")
	h.reach("button", "Import")
	h.follow("Enter")
	h.wait(`document.querySelector("#import-run") && !document.querySelector("#import-run").hasAttribute("hx-get")`)
	h.waitText("main", "Done")
}

// freeze takes a snapshot of the datasets that are true.
func (h *hands) freeze(name string, datasets map[string]bool) {
	h.t.Helper()
	h.skip()
	for _, d := range []string{"train…", "test…", "fresh…"} {
		h.tickNear(d, datasets[d])
	}
	h.reach("textbox", "Name…")
	h.write(name)
	h.follow("Enter")
}

// train fills the form of a training and waits until it is over.
func (h *hands) train(params map[string]string) {
	h.t.Helper()
	h.skip()
	h.reach("spinbutton", "Epochs…")
	h.write(params["epochs"])
	h.follow("Enter")
	h.wait(`[...document.querySelectorAll("main .badge")].some((b) => b.innerText.includes("Succeeded"))`)
	h.wait(`fetch("/projects/bank/models").then((r) => r.text()).then((t) => { const d = new DOMParser().parseFromString(t, "text/html"); const rows = [...d.querySelectorAll("main tbody tr")]; return rows.length > 0 && rows.every((r) => /\d\.\d\s%/.test(r.textContent)); })`)
}

// tickNear gives the checkbox of a dataset a state; the list is walked from its
// first box, whatever its order.
func (h *hands) tickNear(name string, on bool) {
	h.t.Helper()
	h.reach("checkbox", "…")
	for range 6 {
		if h.at().is("checkbox", name) {
			break
		}
		h.keys("Tab")
		if h.at().role != "checkbox" { // past the last one: back to the first
			h.keys("Shift+Tab")
			for h.at().role == "checkbox" {
				h.keys("Shift+Tab")
			}
			h.keys("Tab")
		}
	}
	h.tick(name, on)
}
