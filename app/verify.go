package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/review"
)

func verifyCommand() *cobra.Command {
	var keys []string
	var environment, subject string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify --key PUB --subject DIR|sha256:… [--environment E] FILE|DIR",
		Short: "Check an approval offline",
		Long: "verify reads signed files and needs no server: a file that was downloaded from a candidate's page, or a\n" +
			"directory that `adjudge evidence export` wrote. It exits 0 only where a valid approval of the subject for the\n" +
			"environment is among them that has not ended and that no file among them withdraws; else 1.\n\n" +
			"Without a trusted time stamp, the end of an approval is held against this machine's clock.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			known, err := readPublicKeys(keys)
			if err != nil {
				return err
			}
			env, err := review.ParseEnvironment(environment)
			if err != nil {
				return err
			}
			digest, err := subjectDigest(subject)
			if err != nil {
				return err
			}
			documents, err := signedDocuments(signer.NewRing(nil, known...), args[0])
			if err != nil {
				return notValid(err)
			}
			approved, err := review.VerifyDocuments(documents, digest, env, now())
			if err != nil {
				return notValid(err)
			}
			if asJSON {
				return printJSON(cmd, approved)
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "verified: %s for %s\n", approved, env)
			return err
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&keys, "key", nil, "file with a public key of the server (adjudge.pub), or a directory of them; may be given several times")
	f.StringVar(&environment, "environment", "production", "where it shall ship to")
	f.StringVar(&subject, "subject", "", "directory or file of the model, or its digest (sha256:…)")
	f.BoolVar(&asJSON, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("key")     // the flags exist
	_ = cmd.MarkFlagRequired("subject") // likewise
	return cmd
}

// notValid turns what is wrong with a file into a failure, not a usage error:
// a pipeline must not take a forged file for a typing mistake.
func notValid(err error) error {
	return fault.As(fault.Unmet, err, "not verified: %s", fault.Message(err))
}

// subjectDigest reads a digest, or computes it from the files of a model.
func subjectDigest(subject string) (ledger.Digest, error) {
	if strings.HasPrefix(subject, "sha256:") {
		return ledger.ParseDigest(subject)
	}
	tree, err := ledger.DigestTree(subject)
	return tree.Root, err
}

// signedEndings are the endings of files that must be signed.
var signedEndings = [...]string{".dsse.json", ".sigstore.json", ".intoto.jsonl"}

// maxSigned bounds a signed file.
const maxSigned = 16 << 20

// signedDocuments reads one signed file or every signed file of a directory.
// One that none of the keys signed makes all of them worthless.
func signedDocuments(keys *signer.Ring, path string) ([]review.Document, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "Cannot read %s.", path)
	}
	names := []string{path}
	if info.IsDir() {
		names = nil
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, fault.As(fault.Invalid, err, "Cannot read %s.", path)
		}
		for _, e := range entries {
			for _, ending := range signedEndings {
				if strings.HasSuffix(e.Name(), ending) && e.Type()&fs.ModeDir == 0 {
					names = append(names, filepath.Join(path, e.Name()))
				}
			}
		}
		if len(names) == 0 {
			return nil, fault.New(fault.Invalid, "%s holds no signed file. Give the directory that `adjudge evidence export` wrote.", path)
		}
	}
	var documents []review.Document
	for _, name := range names {
		found, err := readSigned(keys, name)
		if err != nil {
			return nil, err
		}
		documents = append(documents, found...)
	}
	return documents, nil
}

// readSigned reads the documents of one file: one, or one a line in a bundle of
// JSON lines.
func readSigned(keys *signer.Ring, path string) ([]review.Document, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxSigned {
		err = errors.New("it is larger than any signed file of ours")
	}
	var content []byte
	if err == nil {
		content, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "Cannot read %s.", path)
	}
	parts := []string{string(content)}
	if strings.HasSuffix(path, ".jsonl") {
		parts = strings.Split(strings.TrimRight(string(content), "\n"), "\n")
	}
	var documents []review.Document
	for _, part := range parts {
		payload, err := keys.VerifyAny([]byte(part))
		if err != nil {
			return nil, fault.As(fault.Invalid, err, "%s: %s", filepath.Base(path), fault.Message(err))
		}
		d := review.Document{Name: filepath.Base(path), Payload: payload}
		if strings.HasSuffix(path, ".dsse.json") {
			d.Digest = ledger.DigestOf([]byte(part))
		}
		documents = append(documents, d)
	}
	return documents, nil
}
