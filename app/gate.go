package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// gateAnswer is what the gate says.
type gateAnswer struct {
	OK      bool     `json:"ok"`
	State   string   `json:"state"`
	Decided bool     `json:"decided"`
	Reason  string   `json:"reason"`
	Notes   []string `json:"notes"`
}

// gatePause is how long --wait sleeps between two questions.
const gatePause = 2 * time.Second

func gateCommand() *cobra.Command {
	var environment, project, model string
	var wait time.Duration
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "gate [CANDIDATE | sha256:…]",
		Short: "Ask whether a candidate may ship",
		Long: "gate asks the server whether a candidate may ship to an environment. The server computes the answer anew\n" +
			"from the votes that match the history, the model's files and the signatures.\n\n" +
			"CANDIDATE is a number or an id; sha256:… is the digest of a model directory or a snapshot. With --model the\n" +
			"digest is computed from the files you are about to ship.\n\n" +
			"Exit codes: 0 approved; 1 not approved, and nothing else; 2 wrong usage, a token that is wrong, has ended or may\n" +
			"not ask, or a project that there is not; 3 the server does not answer.",
		Args: cobra.MaximumNArgs(1),
		RunE: gateCodes(func(cmd *cobra.Command, args []string) error {
			if wait < 0 {
				return usage{errors.New("--wait is a time to come, for example 30m")}
			}
			query, err := gateQuery(args, model)
			if err != nil {
				return err
			}
			query.Set("environment", environment)
			if project != "" {
				query.Set("project", project)
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			answer, raw, err := c.waitForGate(cmd.Context(), apiPath("gate")+"?"+query.Encode(), wait)
			if err != nil {
				return err
			}
			if asJSON {
				if err := printJSON(cmd, raw); err != nil {
					return err
				}
			} else {
				verdict := "not approved"
				if answer.OK {
					verdict = "approved"
				}
				if _, err := fmt.Fprintf(terminal(cmd), "%s: %s\n", verdict, answer.Reason); err != nil {
					return err
				}
				for _, note := range answer.Notes {
					if _, err := fmt.Fprintln(terminal(cmd), "note:", note); err != nil {
						return err
					}
				}
			}
			if !answer.OK {
				return exit(exitFailed)
			}
			return nil
		}),
	}
	f := cmd.Flags()
	f.StringVar(&environment, "environment", "production", "where it shall ship to")
	f.StringVar(&project, "project", "", "project, where several have such a candidate")
	f.StringVar(&model, "model", "", "directory or file of the model; its digest is computed from the bytes")
	f.DurationVar(&wait, "wait", 0, "wait so long for a decision, for example 30m")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

// gateQuery says what is asked about: a candidate, a digest, or the digest of
// files. Where both are given they must agree.
func gateQuery(args []string, model string) (url.Values, error) {
	query := url.Values{}
	if model != "" {
		tree, err := ledger.DigestTree(model)
		if err != nil {
			return nil, usage{err}
		}
		query.Set("subject", string(tree.Root))
	}
	switch {
	case len(args) == 0 && model == "":
		return nil, usage{errors.New("name a candidate, a digest (sha256:…) or a directory with --model")}
	case len(args) == 0:
	case strings.HasPrefix(args[0], "sha256:"):
		digest, err := ledger.ParseDigest(args[0])
		if err != nil {
			return nil, err
		}
		if model != "" && query.Get("subject") != string(digest) {
			return nil, fault.New(fault.Unmet, "The files in %s have the digest %s, not %s. They are not what was named.", model, query.Get("subject"), digest)
		}
		query.Set("subject", string(digest))
	case model != "":
		return nil, usage{errors.New("give either a candidate or --model, or a digest together with --model")}
	default:
		query.Set("candidate", args[0])
	}
	return query, nil
}

// waitForGate asks until the answer is decided or the time is over. A server
// that does not answer ends the waiting only when the time is over.
func (c *client) waitForGate(ctx context.Context, path string, wait time.Duration) (gateAnswer, json.RawMessage, error) {
	deadline := time.Now().Add(wait)
	for {
		var body struct {
			Data json.RawMessage `json:"data"`
		}
		var answer gateAnswer
		err := c.get(ctx, path, &body)
		if err == nil {
			if err = json.Unmarshal(body.Data, &answer); err != nil {
				return answer, nil, unreachable{fmt.Errorf("decode the answer of the gate: %w", err)}
			}
			if answer.Decided {
				return answer, body.Data, nil
			}
		}
		// The signatures of a decision are a moment behind it, so an answer that
		// only waits for them is asked for again even without --wait.
		grace := answer.State == "signing" && time.Since(deadline) < 10*time.Second
		if !grace && !time.Now().Before(deadline) {
			return answer, body.Data, gateFailure(err)
		}
		if kind := fault.KindOf(err); kind == fault.Invalid || kind == fault.Denied || kind == fault.Unauthenticated || kind == fault.NotFound {
			return answer, nil, gateFailure(err)
		}
		pause := min(gatePause, max(time.Until(deadline), 200*time.Millisecond))
		if grace {
			pause = 200 * time.Millisecond
		}
		select {
		case <-ctx.Done():
			return answer, nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// gateCodes carries out the command and sorts all that is no answer, so that 1 is
// an answer of the gate and nothing else, or files that are not what was named.
func gateCodes(run func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if _, answered := errors.AsType[exit](err); answered || fault.Is(err, fault.Unmet) {
			return err
		}
		return gateFailure(err)
	}
}

// gateFailure sorts what is no answer: a server that is in trouble, or something
// else in its place, counts as one that does not answer, and a question that it
// refuses as wrong usage. Only an answer of the gate is a no.
func gateFailure(err error) error {
	if err == nil {
		return nil
	}
	if _, sorted := errors.AsType[usage](err); sorted {
		return err
	}
	if _, sorted := errors.AsType[unreachable](err); sorted {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return unreachable{fmt.Errorf("the command was ended before there was an answer: %w", err)}
	}
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.Kind == fault.Unavailable || f.Kind == fault.Internal {
		return unreachable{err}
	}
	return usage{err}
}
