package identity

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Invitation is one line of a list of people to invite.
type Invitation struct {
	Line     int // in the file, from 1
	Name     string
	Username string // folded; an e-mail address is one too
	Project  string // slug or id, "" for none
	Roles    []ledger.Role
	Groups   []string // names
}

// RowError says what is wrong with one field of one line.
type RowError struct {
	Line    int
	Field   string // as the columns are named: name, username, project, roles, groups; "" for the whole line
	Message string
}

// Field names a line and field as a fault does.
func (e RowError) fault() error {
	where := "line " + strconv.Itoa(e.Line)
	if e.Field != "" {
		return fault.Field(where+", "+e.Field, "Line %d, %s: %s", e.Line, e.Field, e.Message)
	}
	return fault.Field(where, "Line %d: %s", e.Line, e.Message)
}

// maxInvitations is how many lines one list may have.
const maxInvitations = 500

// columnNames are the names under which a column may stand in the first line.
var columnNames = map[string]string{
	"name": "name", "full name": "name",
	"username": "username", "user": "username", "sign-in name": "username", "e-mail": "username", "email": "username", "mail": "username",
	"project": "project", "role": "roles", "roles": "roles", "group": "groups", "groups": "groups",
}

// ParseInvitations reads a list of people from CSV: commas, semicolons or tabs,
// the first line naming the columns, of which only the username is needed. A
// cell with several roles or groups separates them by comma, semicolon or bar.
func ParseInvitations(text []byte) ([]Invitation, []RowError) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, []RowError{{Line: 1, Message: fault.Say("The file is not UTF-8 text. Save it as CSV UTF-8 and try again.")}}
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.TrimLeadingSpace = -1, true
	r.Comma = separatorOf(text)
	head, err := r.Read()
	if err != nil {
		return nil, []RowError{unreadable(err)}
	}
	columns, wrong := columnsOf(head)
	if len(wrong) > 0 {
		return nil, wrong
	}
	var all []Invitation
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, append(wrong, unreadable(err))
		}
		line, _ := r.FieldPos(0)
		if len(all) == maxInvitations {
			return nil, append(wrong, RowError{Line: line, Message: fault.Say("A list may have %d people. Split it.", maxInvitations)})
		}
		if strings.TrimSpace(strings.Join(cells, "")) == "" {
			continue
		}
		if len(cells) > len(head) {
			wrong = append(wrong, RowError{Line: line, Message: fault.Say("There are more cells than columns. Put a cell that holds the separator in quotation marks.")})
			continue
		}
		v, bad := invitationOf(columns, cells)
		v.Line = line
		for _, e := range bad {
			e.Line = line
			wrong = append(wrong, e)
		}
		all = append(all, v)
	}
	if len(all) == 0 && len(wrong) == 0 {
		wrong = []RowError{{Line: 1, Message: fault.Say("The list names nobody. Put one person on each line below the names of the columns.")}}
	}
	return all, wrong
}

// separatorOf returns the separator that stands most often in the first line.
func separatorOf(text []byte) rune {
	head, _, _ := bytes.Cut(text, []byte("\n"))
	best, most := ',', bytes.Count(head, []byte(","))
	for _, c := range ";\t" {
		if n := bytes.Count(head, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

func unreadable(err error) RowError {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return RowError{Line: bad.Line, Message: fault.Say("The line cannot be read: a quotation mark is missing or stands inside a cell.")}
	}
	return RowError{Line: 1, Message: fault.Say("The list is empty. Begin with the names of the columns: name,username,project,roles,groups.")}
}

func columnsOf(head []string) (columns []string, wrong []RowError) {
	for _, cell := range head {
		name := columnNames[strings.ToLower(strings.TrimSpace(cell))]
		switch {
		case name == "":
			wrong = append(wrong, RowError{Line: 1, Message: fault.Say("There is no column %q. The columns are name, username (or e-mail), project, roles and groups.", shortened(cell))})
		case slices.Contains(columns, name):
			wrong = append(wrong, RowError{Line: 1, Field: name, Message: fault.Say("This column stands there twice.")})
		}
		columns = append(columns, name)
	}
	if len(wrong) == 0 && !slices.Contains(columns, "username") {
		wrong = append(wrong, RowError{Line: 1, Field: "username", Message: fault.Say("This column is missing: what people type to sign in, such as their e-mail address.")})
	}
	return columns, wrong
}

func invitationOf(columns, cells []string) (v Invitation, wrong []RowError) {
	for i, cell := range cells {
		cell = strings.TrimSpace(cell)
		switch columns[i] {
		case "name":
			v.Name = cell
		case "username":
			v.Username = FoldUsername(cell)
		case "project":
			v.Project = cell
		case "groups":
			v.Groups = severalOf(cell)
		case "roles":
			for _, text := range severalOf(cell) {
				role, err := ParseRole(text)
				if err != nil {
					wrong = append(wrong, RowError{Field: "roles", Message: fault.Message(err)})
				} else if !slices.Contains(v.Roles, role) {
					v.Roles = append(v.Roles, role)
				}
			}
		}
	}
	if v.Name == "" {
		v.Name = v.Username
	}
	for field, err := range map[string]error{"username": joined(validUsername(v.Username), ledger.OneScript("username", v.Username)), "name": validName(v.Name)} {
		if err != nil && (field == "username" || v.Username != "") {
			wrong = append(wrong, RowError{Field: field, Message: fault.Message(err)})
		}
	}
	return v, wrong
}

// severalOf splits a cell with several values.
func severalOf(cell string) (parts []string) {
	for part := range strings.FieldsFuncSeq(cell, func(r rune) bool { return strings.ContainsRune(",;|", r) }) {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

func shortened(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return text
}

// InvitationStep is what one line would change, or changed.
type InvitationStep struct {
	Invitation
	Person    ledger.PersonID // empty for somebody new until they are made
	New       bool            // a person is made; on their first line only
	ProjectID ledger.ProjectID
	Add       []ledger.Role // roles they do not hold by themselves yet
	Join      []Group       // groups they are not in yet
	Secret    string        // of the one-time link, once they are made
}

// Changes reports whether the line changes anything.
func (s InvitationStep) Changes() bool { return s.New || len(s.Add) > 0 || len(s.Join) > 0 }

// standing is what a list is held against.
type standing struct {
	people   map[string]Person // by username
	held     map[ledger.PersonID][]Membership
	groups   []Group
	projects map[string]ledger.ProjectID // by slug and by id
	fallback string                      // project where a line names none
}

// planInvitations says what every line would change, and everything that stands
// in the way.
func planInvitations(list []Invitation, now standing, actor ledger.Actor) (steps []InvitationStep, wrong []RowError) {
	seen := map[string]string{} // username to name
	type place struct {
		username string
		project  ledger.ProjectID
		role     ledger.Role
		group    GroupID
	}
	given := map[place]bool{}
	for _, v := range list {
		refuse := func(field, message string) { wrong = append(wrong, RowError{v.Line, field, message}) }
		person, known := now.people[v.Username]
		earlier, again := seen[v.Username]
		step := InvitationStep{Invitation: v, Person: person.ID, New: !known && !again}
		if known {
			step.Name = person.Name
			if person.Disabled {
				refuse("username", person.Name+" is deactivated. Let them in again first.")
			}
		} else if again && earlier != v.Name {
			refuse("name", fault.Say("The same person stands above as %q.", earlier))
		}
		if !again {
			seen[v.Username] = v.Name
		}
		if step.Project == "" {
			step.Project = now.fallback
		}
		switch {
		case step.Project == "" && len(v.Roles) > 0:
			refuse("project", fault.Say("Name the project in which they hold these roles."))
		case step.Project != "" && len(v.Roles) == 0 && (v.Project != "" || len(v.Groups) == 0):
			refuse("roles", fault.Say("Give at least one role in the project."))
		case step.New && step.Project == "" && mustAdminister(actor) != nil:
			refuse("project", fault.Say("Only an admin of this installation invites people without a project."))
		}
		if step.Project != "" {
			var found bool
			if step.ProjectID, found = now.projects[step.Project]; !found {
				refuse("project", fault.Say("There is no project %q, or you are not a member of it.", shortened(step.Project)))
			}
		}
		for _, role := range v.Roles {
			if step.ProjectID == "" {
				break
			}
			if err := mayGrant(actor, step.ProjectID, role); err != nil {
				refuse("roles", fault.Message(err))
				continue
			}
			here := place{username: v.Username, project: step.ProjectID, role: role}
			if !given[here] && !slices.Contains(now.held[person.ID], Membership{Project: step.ProjectID, Person: person.ID, Role: role}) {
				step.Add = append(step.Add, role)
			}
			given[here] = true
		}
		for _, name := range v.Groups {
			group, err := groupNamed(now.groups, name)
			if err == nil {
				err = mustAdminister(actor)
			}
			if err != nil {
				refuse("groups", fault.Message(err))
				continue
			}
			here := place{username: v.Username, group: group.ID}
			if !given[here] && (!known || !slices.Contains(group.Members, person.ID)) {
				step.Join = append(step.Join, group)
			}
			given[here] = true
		}
		steps = append(steps, step)
	}
	return steps, wrong
}
