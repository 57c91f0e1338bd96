package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/web"
	"github.com/adjudge/adjudge/labeling"
)

// importOptions are the flags of the command import.
type importOptions struct {
	project, dataset, purpose, format, header, schema, reason string
	text, media, label, key                                   string
	strict, detach, json                                      bool
}

// importCommand brings files in.
func importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import --project P --dataset D [--format F] FILE|DIR…",
		Short: "Bring items from CSV, TSV, JSONL, text or Parquet files into a dataset",
		Long: `Bring items from files into a dataset.

The project and the dataset are made when they are new. The format, and which
column holds the text, the label and the key, are guessed from names and
content unless they are given. Labels that are no class of the schema become
one, unless --strict is given. --schema gives a new project its schema and
changes that of another: classes keep their answers by name, and leaving one out
that has answers is refused. Records that are wrong are reported by line, and
the others come in. A record whose key is there already changes nothing.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runImport(cmd, o, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.project, "project", "", "project, by name; made when it is new")
	flags.StringVar(&o.dataset, "dataset", "", "dataset, by name; made when it is new")
	flags.StringVar(&o.purpose, "purpose", "", "what a new dataset is for: training (default), evaluation or production")
	flags.StringVar(&o.format, "format", "", "csv, tsv, jsonl, text or parquet; guessed if empty")
	flags.StringVar(&o.header, "header", "", "whether the first line names the columns: yes or no; guessed if empty")
	flags.StringVar(&o.schema, "schema", "", "file with the schema of the project, as JSON; inferred from the labels if empty")
	flags.StringVar(&o.text, "text", "", "column of the text; guessed if empty")
	flags.StringVar(&o.media, "media", "", "column of references to pictures, recordings or videos: NAME/path of a directory that serve --media names, or https://…; guessed together with --text")
	flags.StringVar(&o.label, "label", "", "column of the label; guessed together with --text")
	flags.StringVar(&o.key, "key", "", "column of the key; guessed together with --text")
	reasonFlag(cmd, &o.reason, "--schema changes a schema that has answers")
	flags.BoolVar(&o.strict, "strict", false, "refuse labels that are no class of the schema")
	flags.BoolVar(&o.detach, "detach", false, "return as soon as the files are uploaded")
	flags.BoolVar(&o.json, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("project") // cannot fail: the flags are there
	_ = cmd.MarkFlagRequired("dataset")
	return cmd
}

func runImport(cmd *cobra.Command, o importOptions, args []string) error {
	if o.text == "" && o.media == "" && (o.label != "" || o.key != "") {
		return usage{errors.New("--label and --key need --text or --media beside them: name all columns, or none")}
	}
	files, err := filesToImport(args)
	if err != nil {
		return err
	}
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	project, err := c.projectFor(ctx, o.project, o.schema, o.reason)
	if err != nil {
		return err
	}
	shown := newProgress(cmd, o.json)
	defer shown.end()
	var done []web.ImportBody
	for _, file := range files {
		i, err := c.importFile(ctx, o, project, file, shown)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		done = append(done, i)
	}
	var words []string
	for _, i := range done {
		words = append(words, importWords(i))
	}
	for _, i := range done {
		if i.Refused > 0 {
			if err := c.printProblems(ctx, cmd.ErrOrStderr(), project, i); err != nil {
				return err
			}
		}
	}
	var document any = web.List[web.ImportBody]{Items: done}
	if len(done) == 1 {
		document = done[0]
	}
	if err := shown.finish(cmd, o.json, document, strings.Join(words, "\n")); err != nil {
		return err
	}
	for _, i := range done {
		switch i.State {
		case labeling.ImportFailed:
			return fault.New(fault.Invalid, "%s: %s", i.File, i.Failure)
		case labeling.ImportCancelled:
			return fault.New(fault.Conflict, "%s: somebody stopped the import; what came in stays.", i.File)
		}
	}
	return nil
}

// filesToImport lists the files that the arguments name; of a folder those
// whose names say a format.
func filesToImport(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, usage{err}
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		var found []string
		err = filepath.WalkDir(arg, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			if _, unknown := labeling.ParseFormat(filepath.Ext(path)); unknown == nil && filepath.Ext(path) != "" {
				found = append(found, path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look through %s: %w", arg, err)
		}
		if len(found) == 0 {
			return nil, usage{fmt.Errorf("no csv, tsv, jsonl, txt or parquet file in %s", arg)}
		}
		slices.Sort(found)
		files = append(files, found...)
	}
	return files, nil
}

// projectFor returns the slug of a project, which is made when it is new. A
// schema, if one is given, becomes the project's.
func (c *client) projectFor(ctx context.Context, name, schemaFile, reason string) (string, error) {
	schema, err := readSchema(schemaFile, "", nil)
	if err != nil {
		return "", err
	}
	var p projectBody
	for _, by := range []string{name, labeling.Slug(name)} {
		if by == "" {
			continue
		}
		if err = c.get(ctx, apiPath("projects", by), &p); err == nil && schemaFile != "" {
			return p.Slug, c.changeSchema(ctx, p, schema, reason)
		} else if !fault.Is(err, fault.NotFound) {
			return p.Slug, err
		}
	}
	err = c.post(ctx, apiPath("projects"), map[string]any{"name": name, "schema": schema}, &p)
	return p.Slug, err
}

// changeSchema gives a project a schema under the rules of its page: a class
// that has annotations is not left out without a decision.
func (c *client) changeSchema(ctx context.Context, p projectBody, schema labeling.Schema, reason string) error {
	next := p.Schema.Adopt(schema)
	if p.Schema.Same(next) {
		return nil
	}
	request := map[string]any{"name": p.Name, "overlap": p.Overlap, "version": p.Version, "schema": next, "reason": reason}
	err := c.do(ctx, http.MethodPut, apiPath("projects", p.Slug), request, nil)
	if fault.Is(err, fault.Unmet) {
		return fault.As(fault.Unmet, err, "%s Decide on the schema's page of %s, or keep the classes in the file; nothing was imported.", fault.Message(err), p.Name)
	}
	return err
}

// importFile uploads one file and, unless detached, waits until it is in.
func (c *client) importFile(ctx context.Context, o importOptions, project, name string, shown *progress) (web.ImportBody, error) {
	var i web.ImportBody
	file, err := os.Open(name)
	if err != nil {
		return i, usage{err}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return i, err
	}
	body := &counted{Reader: file, tell: func(n int64) { shown.show("upload "+filepath.Base(name), n, info.Size()) }}
	response, err := c.send(ctx, http.MethodPost, apiPath("projects", project, "uploads")+"?"+url.Values{"name": {filepath.Base(name)}}.Encode(), "application/octet-stream", body)
	if err != nil {
		return i, err
	}
	err = json.NewDecoder(response.Body).Decode(&i)
	_ = response.Body.Close()
	if err != nil {
		return i, fmt.Errorf("decode the answer to an upload: %w", err)
	}
	at := apiPath("projects", project, "imports", string(i.ID))
	request := map[string]any{"dataset": o.dataset, "purpose": o.purpose, "format": o.format, "header": o.header, "add_classes": !o.strict}
	if o.text != "" || o.media != "" {
		request["mapping"] = labeling.Mapping{Text: o.text, Media: o.media, Label: o.label, Key: o.key}
	}
	if err := c.post(ctx, at+"/start", request, &i); err != nil {
		return i, err
	}
	for wait := 20 * time.Millisecond; !o.detach && !i.State.Over(); wait = min(2*wait, 500*time.Millisecond) {
		select {
		case <-ctx.Done():
			return i, ctx.Err()
		case <-time.After(wait):
		}
		if err := c.get(ctx, at, &i); err != nil {
			return i, err
		}
		shown.show("import "+i.File, int64(i.Percent), 100)
	}
	return i, nil
}

// counted tells how much of a body was sent.
type counted struct {
	io.Reader
	n    int64
	tell func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}

func importWords(i web.ImportBody) string {
	words := fmt.Sprintf("%s: %d new items in %s", i.File, i.Added, i.Dataset)
	if i.Labeled > 0 {
		words += fmt.Sprintf(", %d with an answer", i.Labeled)
	}
	if i.Unchanged > 0 {
		words += fmt.Sprintf(", %d unchanged because their key is there already", i.Unchanged)
	}
	if i.Refused > 0 {
		words += fmt.Sprintf(", %d refused", i.Refused)
	}
	if !i.State.Over() {
		words = fmt.Sprintf("%s: uploaded; import %s goes on behind the scenes", i.File, i.ID)
	}
	return words
}

// printProblems writes the first refused records of an import.
func (c *client) printProblems(ctx context.Context, w io.Writer, project string, i web.ImportBody) error {
	var problems web.List[web.ProblemBody]
	if err := c.get(ctx, apiPath("projects", project, "imports", string(i.ID), "problems"), &problems); err != nil {
		return err
	}
	const most = 20
	for n, p := range problems.Items {
		if n == most {
			_, err := fmt.Fprintf(w, "%s: and %d more\n", i.File, i.Refused-most)
			return err
		}
		if _, err := fmt.Fprintf(w, "%s:%d: %s\n", i.File, p.Line, p.Reason); err != nil {
			return err
		}
	}
	return nil
}
