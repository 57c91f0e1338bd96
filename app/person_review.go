package app

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// accessBody is one row of the review of access, as the API says it.
type accessBody struct {
	Project     string     `json:"project"`
	Person      string     `json:"person,omitempty"`
	Group       string     `json:"group,omitempty"`
	Name        string     `json:"name"`
	Username    string     `json:"username,omitempty"`
	Members     []string   `json:"members,omitempty"`
	Role        string     `json:"role"`
	GrantedAt   *time.Time `json:"granted_at,omitempty"`
	GrantedBy   string     `json:"granted_by,omitempty"`
	UsedAt      *time.Time `json:"used_at,omitempty"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	Overdue     bool       `json:"overdue"`
}

type accessList struct {
	Items  []accessBody `json:"items"`
	Next   *string      `json:"next"`
	Admins []string     `json:"admins"`
}

func personReviewCommand() *cobra.Command {
	var project, role, confirm string
	var overdue, asJSON bool
	cmd := &cobra.Command{
		Use: "review", Short: "Review who may do what, since when, granted by whom and last used; confirm what is still needed", Args: cobra.NoArgs,
		Long: "Lists every role in a project, or in all for an admin. A role is overdue 90 days after it was given or confirmed; " +
			"--confirm says that its holder still needs it. What is not needed any more is taken away by adjudge person revoke.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if confirm != "" && (project == "" || role == "") {
				return usage{errors.New("--confirm needs --project and --role")}
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if confirm != "" {
				return c.do(cmd.Context(), http.MethodPost, apiPath("projects", project, "access", "confirmations"), map[string]string{"holder": confirm, "role": role}, nil)
			}
			path := apiPath("access")
			if project != "" {
				path = apiPath("projects", project, "access")
			}
			var list accessList
			if err := c.get(cmd.Context(), path, &list); err != nil {
				return err
			}
			list.keep(role, overdue)
			if asJSON {
				return printJSON(cmd, list)
			}
			return list.print(terminal(cmd))
		},
	}
	f := cmd.Flags()
	f.StringVar(&project, "project", "", "project (default: all, for admins)")
	f.StringVar(&role, "role", "", "only this role")
	f.StringVar(&confirm, "confirm", "", "say that this person or group still needs the role: id, username or name of a group")
	f.BoolVar(&overdue, "overdue", false, "only what waits to be looked at")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// keep leaves out what was not asked for.
func (l *accessList) keep(role string, overdue bool) {
	kept := []accessBody{}
	for _, a := range l.Items {
		if (role == "" || a.Role == role) && (!overdue || a.Overdue) {
			kept = append(kept, a)
		}
	}
	l.Items = kept
}

func (l *accessList) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "PROJECT\tHOLDER\tROLE\tSINCE\tGRANTED BY\tLAST USED\tCONFIRMED\tBY\t") // Flush reports a failure
	for _, a := range l.Items {
		holder := cmp.Or(a.Username, a.Name)
		if a.Group != "" {
			holder = fmt.Sprintf("%s (%d members)", a.Name, len(a.Members))
		}
		waits := ""
		if a.Overdue {
			waits = "overdue"
		}
		_, _ = fmt.Fprintln(w, strings.Join([]string{a.Project, holder, a.Role, day(a.GrantedAt), a.GrantedBy, day(a.UsedAt), day(a.ConfirmedAt), a.ConfirmedBy, waits}, "\t"))
	}
	return w.Flush()
}

func day(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.Format(time.DateOnly)
}
