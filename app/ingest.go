package app

import (
	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/columns"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/format/csv"
	"github.com/adjudge/adjudge/backend/format/ingest"
	"github.com/adjudge/adjudge/backend/format/jsonl"
	"github.com/adjudge/adjudge/backend/format/text"
	"github.com/adjudge/adjudge/labeling"
)

// ingestCommand is the hidden command by which the server parses uploaded
// bytes in a child process. Nobody types it: the file comes on descriptor 3.
func ingestCommand() *cobra.Command {
	var job ingest.Job
	cmd := &cobra.Command{
		Use:    "ingest",
		Hidden: true,
		Short:  "parse an uploaded file in a confined process (the server starts this itself)",
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return ingest.Run(job, cmd.OutOrStdout(), openUpload)
		},
	}
	flags := cmd.Flags()
	flags.StringVar((*string)(&job.Format), "format", "", "format of the file")
	flags.StringVar((*string)(&job.Header), "header", "", "whether the first line names the columns: yes, no, or empty to guess")
	flags.Int64Var(&job.Skip, "skip", 0, "records to pass over")
	flags.Int64Var(&job.Limit, "limit", 0, "records to read, 0 for all")
	return cmd
}

// openUpload chooses the reader of a format.
func openUpload(job ingest.Job, in *ingest.Input) (ingest.Reader, error) {
	switch job.Format {
	case labeling.FormatCSV:
		return csv.NewReader(in, 0, job.Header)
	case labeling.FormatTSV:
		return csv.NewReader(in, '\t', job.Header)
	case labeling.FormatJSONL:
		return jsonl.NewReader(text.NewLines(in)), nil
	case labeling.FormatText:
		return text.NewReader(in), nil
	case labeling.FormatParquet:
		return columns.NewReader(in)
	}
	return nil, fault.Field("format", "%.40q is not a format that can be read", job.Format)
}
