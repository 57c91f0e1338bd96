package app

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/ledger"
)

// invited is what a list of people changed, as the API says it.
type invited struct {
	Items []struct {
		Line     int      `json:"line"`
		Username string   `json:"username"`
		Name     string   `json:"name"`
		Person   string   `json:"person,omitempty"`
		New      bool     `json:"new"`
		Project  string   `json:"project,omitempty"`
		Roles    []string `json:"roles"`
		Groups   []string `json:"groups"`
		Link     string   `json:"link,omitempty"`
	} `json:"items"`
	Changed int `json:"changed"`
	Errors  []struct {
		Line    int    `json:"line"`
		Field   string `json:"field,omitempty"`
		Message string `json:"message"`
	} `json:"errors,omitempty"`
}

// inviteList invites everybody on a list and prints the links as CSV.
func inviteList(cmd *cobra.Command, path, project, reason string, preview, asJSON bool) error {
	text, err := readList(cmd, path)
	if err != nil {
		return err
	}
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	var done invited
	request := map[string]any{"csv": string(text), "project": project, "preview": preview, "reason": reason}
	if err := c.post(cmd.Context(), apiPath("people", "invitations"), request, &done); err != nil {
		return err
	}
	out := terminal(cmd)
	if asJSON {
		return printJSON(cmd, done)
	}
	if len(done.Errors) > 0 {
		var lines []string
		for _, e := range done.Errors {
			lines = append(lines, fmt.Sprintf("line %d, %s: %s", e.Line, e.Field, e.Message))
		}
		return errors.New(strings.Join(lines, "\n"))
	}
	if done.Changed == 0 {
		_, err = fmt.Fprintln(out, "Nothing changes: everybody on this list is here already, with these roles and groups.")
		return err
	}
	if preview {
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for _, row := range done.Items {
			what := append([]string{}, row.Roles...)
			if row.New {
				what = append([]string{"new"}, what...)
			}
			_, _ = fmt.Fprintf(w, "%s\t%s\t%s\n", row.Username, row.Project, strings.Join(append(what, row.Groups...), ", ")) // Flush reports a failure
		}
		return w.Flush()
	}
	_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%d of %d lines changed something; each link works once, for seven days\n", done.Changed, len(done.Items)) // the list itself matters
	rows := [][]string{{"name", "username", "link"}}
	for _, row := range done.Items {
		if row.Link != "" {
			rows = append(rows, []string{row.Name, row.Username, row.Link})
		}
	}
	return ledger.NewSheet(out, ',').Rows(slices.Values(rows))
}

// readList reads a list of people from a file, or from standard input for "-".
func readList(cmd *cobra.Command, path string) ([]byte, error) {
	if path == "-" {
		text, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 1<<20))
		if err != nil {
			return nil, err
		}
		return text, isText("standard input", text)
	}
	return readText(path)
}

func personGroupCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "group", Short: "Groups: named sets of people with roles in projects"}
	cmd.AddCommand(groupListCommand(),
		groupVerb("create NAME", "Make a group", 1, http.MethodPost, func(a []string, _, _ string) (string, any) {
			return apiPath("groups"), map[string]string{"name": a[0]}
		}),
		groupVerb("rename GROUP NAME", "Rename a group", 2, http.MethodPatch, func(a []string, _, _ string) (string, any) {
			return apiPath("groups", a[0]), map[string]string{"name": a[1]}
		}),
		groupVerb("delete GROUP", "Remove a group; its members lose what they hold by it alone", 1, http.MethodDelete, func(a []string, _, _ string) (string, any) {
			return apiPath("groups", a[0]), nil
		}),
		groupVerb("join GROUP USERNAME", "Add somebody to a group", 2, http.MethodPut, memberPath),
		groupVerb("leave GROUP USERNAME", "Take somebody out of a group", 2, http.MethodDelete, memberPath),
		groupVerb("map GROUP NAME", "Let a group at the OpenID Connect provider stand for a group here", 2, http.MethodPut, providerNamePath),
		groupVerb("unmap GROUP NAME", "End that a group at the provider stands for a group here", 2, http.MethodDelete, providerNamePath),
		groupVerb("grant GROUP", "Give a group a role in a project", 1, http.MethodPut, groupRolePath),
		groupVerb("revoke GROUP", "Take a role in a project from a group", 1, http.MethodDelete, groupRolePath),
	)
	return cmd
}

// groupListCommand lists all groups for an admin, or for a lead what they hold in
// one project.
func groupListCommand() *cobra.Command {
	var asJSON bool
	var project string
	list := &cobra.Command{
		Use: "list", Short: "List the groups", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			if project != "" {
				return listProjectGroups(cmd, c, project, asJSON)
			}
			return listGroups(cmd, c, asJSON)
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	list.Flags().StringVar(&project, "project", "", "only what they hold in this project, as its lead may see it")
	return list
}

func listGroups(cmd *cobra.Command, c *client, asJSON bool) error {
	var groups struct {
		Items []struct {
			ID      string   `json:"id"`
			Name    string   `json:"name"`
			Members []string `json:"members"`
			Names   []string `json:"provider_names"`
			Roles   []struct {
				Project string `json:"project"`
				Role    string `json:"role"`
			} `json:"roles"`
		} `json:"items"`
		Next *string `json:"next"`
	}
	if err := c.get(cmd.Context(), apiPath("groups"), &groups); err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd, groups)
	}
	w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
	for _, g := range groups.Items {
		_, _ = fmt.Fprintf(w, "%s\t%d members\t%d roles\n", g.Name, len(g.Members), len(g.Roles)) // Flush reports a failure
	}
	return w.Flush()
}

func listProjectGroups(cmd *cobra.Command, c *client, project string, asJSON bool) error {
	var groups struct {
		Items []struct {
			ID      string   `json:"id"`
			Name    string   `json:"name"`
			Members int      `json:"members"`
			Roles   []string `json:"roles"`
		} `json:"items"`
		Next *string `json:"next"`
	}
	if err := c.get(cmd.Context(), apiPath("projects", project, "groups"), &groups); err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd, groups)
	}
	w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
	for _, g := range groups.Items {
		_, _ = fmt.Fprintf(w, "%s\t%d members\t%s\n", g.Name, g.Members, strings.Join(g.Roles, ", ")) // Flush reports a failure
	}
	return w.Flush()
}

func memberPath(a []string, _, _ string) (string, any) {
	return apiPath("groups", a[0], "members", a[1]), nil
}

func providerNamePath(a []string, _, _ string) (string, any) {
	return apiPath("groups", a[0], "provider-names") + "?name=" + url.QueryEscape(a[1]), nil
}

func groupRolePath(a []string, project, role string) (string, any) {
	return apiPath("projects", project, "groups", a[0], "roles", role), nil
}

// groupVerb is a command that changes one thing about a group and says nothing.
func groupVerb(use, short string, args int, method string, request func(args []string, project, role string) (path string, body any)) *cobra.Command {
	var project, role, reason string
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(args),
		RunE: func(cmd *cobra.Command, a []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path, body := request(a, project, role)
			if body == nil {
				body = because(reason)
			}
			return c.do(cmd.Context(), method, path, body, nil)
		},
	}
	if method == http.MethodDelete || strings.HasPrefix(use, "grant") || strings.HasPrefix(use, "map") {
		reasonFlag(cmd, &reason, "the roles of its members change")
	}
	if strings.HasPrefix(use, "grant") || strings.HasPrefix(use, "revoke") {
		cmd.Flags().StringVar(&project, "project", "", "project")
		cmd.Flags().StringVar(&role, "role", "", "annotator, lead, reviewer, approver, data_scientist, auditor or admin")
		_ = cmd.MarkFlagRequired("project") // the flags exist
		_ = cmd.MarkFlagRequired("role")
	}
	return cmd
}

func personDataCommand() *cobra.Command {
	return &cobra.Command{
		Use: "data", Short: "Print all that is kept about me, as JSON", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var data any
			if err := c.get(cmd.Context(), apiPath("me", "data"), &data); err != nil {
				return err
			}
			return printJSON(cmd, data)
		},
	}
}

func personPreferCommand() *cobra.Command {
	var language, size string
	var lockAfter time.Duration
	var unseen, untimed, unnotified, asJSON bool
	var keys map[string]string
	cmd := &cobra.Command{
		Use: "prefer", Short: "Choose for yourself: language, text size, when to lock, what is not sent", Args: cobra.NoArgs,
		Long: "Changes what its flags name and leaves the rest; without flags it shows what is chosen.\n" +
			"--untimed: how long you look at items is neither sent nor kept. --unseen: others are not told which page you have open.\n" +
			"--unnotified: no notifications of the desktop window. Each with =false takes it back.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if lockAfter%time.Minute != 0 {
				return usage{errors.New("--lock-after takes whole minutes, for example 5m")}
			}
			change := map[string]any{}
			for flag, value := range map[string]any{"language": language, "text-size": size, "lock-after": int(lockAfter.Minutes()), "unseen": unseen, "untimed": untimed, "unnotified": unnotified} {
				if cmd.Flags().Changed(flag) {
					change[strings.ReplaceAll(flag, "-", "_")] = value
				}
			}
			if len(keys) > 0 {
				change["keys"] = keys
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var is struct {
				Language   string `json:"language"`
				TextSize   string `json:"text_size"`
				LockAfter  int    `json:"lock_after"`
				Unseen     bool   `json:"unseen"`
				Untimed    bool   `json:"untimed"`
				Unnotified bool   `json:"unnotified"`

				Keys map[string]string `json:"keys"`
			}
			if err := c.do(cmd.Context(), http.MethodPatch, apiPath("me", "preferences"), change, &is); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, is)
			}
			for _, action := range slices.Sorted(maps.Keys(is.Keys)) {
				if _, err := fmt.Fprintf(terminal(cmd), "key %s: %s\n", action, is.Keys[action]); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(terminal(cmd), "language %q, text size %q, lock after %d minutes, unseen %t, untimed %t, unnotified %t\n",
				is.Language, is.TextSize, is.LockAfter, is.Unseen, is.Untimed, is.Unnotified)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&language, "language", "", "en or de; empty: as the browser asks")
	f.StringVar(&size, "text-size", "", "s, l or xl; empty: the middle one")
	f.DurationVar(&lockAfter, "lock-after", 0, "lock your idle browsers after, for example, 5m; 0: as the installation says")
	f.BoolVar(&unseen, "unseen", false, "do not tell others which page you have open")
	f.BoolVar(&untimed, "untimed", false, "neither send nor keep how long you look at items")
	f.StringToStringVar(&keys, "key", nil, "move a key of the product, for example label.skip=Alt+S; label.skip= moves it back; may be given several times")
	f.BoolVar(&unnotified, "unnotified", false, "no notifications outside of the pages")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}
