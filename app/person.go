package app

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
)

// personBody is a person as the API shows them.
type personBody struct {
	ID       string   `json:"id"`
	Username string   `json:"username"`
	Name     string   `json:"name"`
	TimeZone string   `json:"time_zone,omitempty"`
	Admin    bool     `json:"admin"`
	Disabled bool     `json:"disabled"`
	Invited  bool     `json:"invited"`
	Roles    []string `json:"roles,omitempty"`
	Link     string   `json:"link,omitempty"`
}

func personCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "person", Short: "People, and their roles in projects"}
	cmd.AddCommand(personCreateCommand(), personListCommand(), personInviteCommand(), personGroupCommand(), personDataCommand(), personPreferCommand(), personReviewCommand(), personRoleCommand("grant"), personRoleCommand("revoke"), personConfirmCommand(), personChangeCommand(), personDisconnectCommand())
	return cmd
}

func personCreateCommand() *cobra.Command {
	var name, zone, project string
	var roles []string
	var admin, password, asJSON bool
	cmd := &cobra.Command{
		Use:   "create USERNAME",
		Short: "Create a person; prints the one-time link on which they choose a password",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (project == "") != (len(roles) == 0) {
				return usage{errors.New("--project and --role go together")}
			}
			request := map[string]any{"username": args[0], "name": name, "time_zone": zone, "admin": admin}
			if project != "" {
				request["project"], request["roles"] = project, roles
			}
			if password {
				secret, err := readLine(cmd)
				if err != nil {
					return err
				}
				request["password"] = secret
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var made personBody
			if err := c.post(cmd.Context(), apiPath("people"), request, &made); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, made)
			}
			if made.Link == "" {
				_, err = fmt.Fprintf(terminal(cmd), "%s can sign in as %s.\n", made.Name, made.Username)
			} else {
				_, err = fmt.Fprintf(terminal(cmd), "Send this link to %s; it works once, for seven days:\n%s\n", made.Name, made.Link)
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "name that others see (default: the username)")
	f.StringVar(&zone, "time-zone", "", "time zone, for example Europe/Berlin (default: UTC)")
	f.StringVar(&project, "project", "", "project they join")
	f.StringSliceVar(&roles, "role", nil, "role there; may be given several times")
	f.BoolVar(&admin, "admin", false, "make them an admin of the installation")
	f.BoolVar(&password, "password-stdin", false, "read their password from the first line of standard input instead of making a link")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// readLine reads the first line of standard input without its end.
func readLine(cmd *cobra.Command) (string, error) {
	line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		return "", usage{fmt.Errorf("standard input holds no password: %w", err)}
	}
	return line, nil
}

func personListCommand() *cobra.Command {
	var project string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List everybody, or the people of a project with their roles",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path := apiPath("people")
			if project != "" {
				path = apiPath("projects", project, "people")
			}
			var list struct {
				Items []personBody `json:"items"`
				Next  *string      `json:"next"`
			}
			if err := c.get(cmd.Context(), path, &list); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, list)
			}
			w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, p := range list.Items {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", p.Username, p.Name, stateOf(p)) // Flush reports a failure
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "only the people of this project")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func stateOf(p personBody) string {
	words := append([]string{}, p.Roles...)
	if p.Admin {
		words = append(words, "admin of the installation")
	}
	if p.Disabled {
		words = append(words, "cannot sign in")
	} else if p.Invited {
		words = append(words, "invited")
	}
	return strings.Join(words, ", ")
}

func personInviteCommand() *cobra.Command {
	var asJSON, preview bool
	var list, project, reason string
	cmd := &cobra.Command{
		Use:   "invite USERNAME | --csv FILE",
		Short: "Make a new one-time link for somebody who forgot their password, or invite a whole list",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (list == "") == (len(args) == 0) {
				return usage{errors.New("name one person, or give a list with --csv FILE")}
			}
			if list != "" {
				return inviteList(cmd, list, project, reason, preview, asJSON)
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var invited personBody
			if err := c.post(cmd.Context(), apiPath("people", args[0], "invitations"), struct{}{}, &invited); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, invited)
			}
			_, err = fmt.Fprintln(terminal(cmd), invited.Link)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().StringVar(&list, "csv", "", "list of people, - for standard input; the first line names the columns: name, username (or e-mail), project, roles, groups")
	cmd.Flags().StringVar(&project, "project", "", "with --csv: the project that is meant where a line names none")
	reasonFlag(cmd, &reason, "roles of somebody who is a member already change, with --csv")
	cmd.Flags().BoolVar(&preview, "preview", false, "with --csv: only say what would change")
	return cmd
}

// personRoleCommand is grant or revoke.
func personRoleCommand(verb string) *cobra.Command {
	var project, role, reason string
	short, method := "Give a person a role in a project", http.MethodPut
	if verb == "revoke" {
		short, method = "Take a role in a project from a person", http.MethodDelete
	}
	cmd := &cobra.Command{
		Use:   verb + " USERNAME",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return c.do(cmd.Context(), method, apiPath("projects", project, "people", args[0], "roles", role), because(reason), nil)
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project")
	cmd.Flags().StringVar(&role, "role", "", "annotator, lead, reviewer, approver, data_scientist, auditor or admin")
	reasonFlag(cmd, &reason, "the role of somebody who is a member already changes")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	_ = cmd.MarkFlagRequired("role")
	return cmd
}

// personConfirmCommand says that somebody may vote, whoever let them in.
func personConfirmCommand() *cobra.Command {
	var project, reason string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "confirm USERNAME",
		Short: "Confirm that a reviewer or approver may vote, whoever let them in",
		Long: "Whose account, link or role came from a maker of a candidate, or came after it was proposed, does not approve it until another admin or lead\n" +
			"confirms them: no maker, not who gave what is to be confirmed, and not the person. The candidate's page says who can.\n" +
			"A confirmation holds for the project until the person comes in by a newer link or gets the role anew, and decides open candidates anew.\n" +
			"A vote for a candidate counts only while its person holds the role; a role that was given back votes again. A decision stands on the roles of its day.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := c.post(cmd.Context(), apiPath("projects", project, "people", args[0], "confirmations"), map[string]string{"reason": reason}, &raw); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, raw)
			}
			var done struct {
				Candidates []struct {
					Number int    `json:"number"`
					Name   string `json:"name"`
					State  string `json:"state"`
				} `json:"candidates"`
			}
			if err := json.Unmarshal(raw, &done); err != nil {
				return fmt.Errorf("decode the answer: %w", err)
			}
			for _, d := range done.Candidates {
				_, _ = fmt.Fprintf(terminal(cmd), "candidate %d: %s is %s\n", d.Number, d.Name, d.State) // the last line reports a failure
			}
			_, err = fmt.Fprintf(terminal(cmd), "%s is confirmed.\n", args[0])
			return err
		},
	}
	cmd.Flags().StringVar(&project, "project", "", "project")
	reasonFlag(cmd, &reason, "they may vote; how you know")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // the flag exists
	_ = cmd.MarkFlagRequired("reason")
	return cmd
}

// because is the body of a change whose only word is why; nil for none.
func because(reason string) any {
	if reason == "" {
		return nil
	}
	return map[string]string{"reason": reason}
}

func personChangeCommand() *cobra.Command {
	var name, zone, reason string
	var admin, disabled, asJSON bool
	cmd := &cobra.Command{
		Use:   "change USERNAME",
		Short: "Change a person: name, time zone, admin, or whether they can sign in",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			request := map[string]any{}
			for flag, value := range map[string]any{"name": &name, "time-zone": &zone, "admin": &admin, "disabled": &disabled} {
				if cmd.Flags().Changed(flag) {
					request[strings.ReplaceAll(flag, "-", "_")] = value
				}
			}
			if len(request) == 0 {
				return usage{errors.New("say what to change: --name, --time-zone, --admin or --disabled")}
			}
			if reason != "" {
				request["reason"] = reason
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var changed personBody
			if err := c.do(cmd.Context(), http.MethodPatch, apiPath("people", args[0]), request, &changed); err != nil {
				return fault.Wrap(err, "change the person")
			}
			if asJSON {
				return printJSON(cmd, changed)
			}
			_, err = fmt.Fprintf(terminal(cmd), "%s\t%s\t%s\n", changed.Username, changed.Name, stateOf(changed))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "name that others see")
	f.StringVar(&zone, "time-zone", "", "time zone, for example Europe/Berlin")
	f.BoolVar(&admin, "admin", false, "admin of the installation (--admin=false takes it away)")
	reasonFlag(cmd, &reason, "who is an admin changes")
	f.BoolVar(&disabled, "disabled", false, "block from signing in (--disabled=false lets them in again)")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// personDisconnectCommand takes the provider from somebody's account.
func personDisconnectCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "disconnect PERSON",
		Short: "Take the OpenID Connect provider from somebody's account; what was signed in by it ends",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if err := c.do(cmd.Context(), http.MethodDelete, apiPath("people", args[0], "provider-accounts"), because(reason), nil); err != nil {
				return err
			}
			_, err = fmt.Fprintf(terminal(cmd), "%s no longer signs in at the provider. Without a password they need a new link: adjudge person invite %s\n", args[0], args[0])
			return err
		},
	}
	reasonFlag(cmd, &reason, "they no longer sign in there")
	return cmd
}
