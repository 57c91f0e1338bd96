package app

import (
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// tokenBody is an API token as the API shows it; Token is the secret, given once.
type tokenBody struct {
	ID        string     `json:"id"`
	Person    string     `json:"person"`
	Name      string     `json:"name"`
	Scope     string     `json:"scope"`
	Hint      string     `json:"hint"`
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	UsedAt    *time.Time `json:"used_at,omitempty"`
	RevokedAt *time.Time `json:"revoked_at,omitempty"`
	Token     string     `json:"token,omitempty"`
}

func tokenCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "token", Short: "API tokens for scripts and CI"}
	cmd.AddCommand(tokenCreateCommand(), tokenListCommand(), tokenRevokeCommand())
	return cmd
}

func tokenCreateCommand() *cobra.Command {
	var name, scope, person string
	var expires time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "create",
		Short: "Make an API token; it is printed once and kept nowhere",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			request := map[string]any{"name": name, "scope": scope, "person": person}
			if expires < 0 {
				return usage{errors.New("--expires is a time to come, for example 2160h for 90 days")}
			}
			if expires > 0 {
				request["expires_at"] = now().Add(expires)
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			var made tokenBody
			if err := c.post(cmd.Context(), apiPath("tokens"), request, &made); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, made)
			}
			_, err = fmt.Fprintln(terminal(cmd), made.Token)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&name, "name", "", "what the token is for")
	f.StringVar(&scope, "scope", "full", "the most it may do: full, read or gate")
	f.DurationVar(&expires, "expires", 0, "how long it is good, for example 2160h (default: for ever)")
	f.StringVar(&person, "person", "", "whose token it is (default: your own; somebody else's needs an admin)")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("name") // the flag exists
	return cmd
}

func tokenListCommand() *cobra.Command {
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List API tokens",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			path := apiPath("tokens")
			if all {
				path += "?all=true"
			}
			var list struct {
				Items []tokenBody `json:"items"`
				Next  *string     `json:"next"`
			}
			if err := c.get(cmd.Context(), path, &list); err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, list)
			}
			w := tabwriter.NewWriter(terminal(cmd), 0, 0, 2, ' ', 0)
			for _, t := range list.Items {
				_, _ = fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Scope, tokenState(t, now())) // Flush reports a failure
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "everybody's, for admins")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func tokenState(t tokenBody, now time.Time) string {
	switch {
	case t.RevokedAt != nil:
		return "revoked"
	case t.ExpiresAt != nil && !now.Before(*t.ExpiresAt):
		return "expired"
	case t.UsedAt == nil:
		return "not used yet"
	}
	return "last used " + t.UsedAt.UTC().Format("2006-01-02 15:04 UTC")
}

func tokenRevokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke ID",
		Short: "Make an API token worthless at once",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return c.post(cmd.Context(), apiPath("tokens", args[0], "revoke"), struct{}{}, nil)
		},
	}
}
