package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/signer"
	"github.com/adjudge/adjudge/review"
)

func verifyCommand() *cobra.Command {
	var keys []string
	var environment, subject, policy string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify --key PUB --subject DIR|sha256:… [--environment E] [--policy FILE|sha256:…] DIR|FILE",
		Short: "Check an approval offline",
		Long: "verify reads signed files and needs no server: the directory that `adjudge evidence export` wrote, or files that\n" +
			"were downloaded from a candidate's page. It exits 0 only where a valid approval of the subject for the environment\n" +
			"is among them that has not ended and that no file among them withdraws, with every vote that it rests on and every\n" +
			"requirement met; else 1. Where the text of the policy is there, voters, their roles and their answers are held\n" +
			"against it; --policy says which policy it must have been. Policies, comparisons, manifests of snapshots and what\n" +
			"voters had opened, beside the signed files, are checked by their digests.\n\n" +
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
			question := review.Offline{Subject: digest, Environment: env, Now: now()}
			if policy != "" {
				if question.Policy, question.Policies, err = namedPolicy(policy); err != nil {
					return err
				}
			}
			if question.Documents, err = signedDocuments(signer.NewRing(nil, known...), args[0]); err != nil {
				return notValid(err)
			}
			beside, err := besideSigned(args[0])
			if err != nil {
				return notValid(err)
			}
			question.Policies, question.Looked = append(question.Policies, beside.policies()...), beside.looked()
			approved, err := question.Verify()
			if err == nil { // what lacks an approval names little of what lies beside it
				err = beside.named(question.Documents)
			}
			if err != nil {
				return notValid(err)
			}
			if asJSON {
				return printJSON(cmd, approved)
			}
			_, err = fmt.Fprintf(terminal(cmd), "verified: %s for %s\n", approved, env)
			for _, note := range approved.Notes {
				if err == nil {
					_, err = fmt.Fprintln(terminal(cmd), "note:", note)
				}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&keys, "key", nil, "file with a public key of the server (adjudge.pub), or a directory of them; may be given several times")
	f.StringVar(&environment, "environment", "production", "where it shall ship to")
	f.StringVar(&subject, "subject", "", "directory or file of the model, or its digest (sha256:…)")
	f.StringVar(&policy, "policy", "", "file or digest (sha256:…) of the policy that it must have been approved under (default: whichever it was)")
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

// namedPolicy reads the digest of a policy, or the file with its text.
func namedPolicy(policy string) (ledger.Digest, []string, error) {
	if strings.HasPrefix(policy, "sha256:") {
		digest, err := ledger.ParseDigest(policy)
		return digest, nil, err
	}
	text, err := os.ReadFile(policy)
	if err != nil {
		return "", nil, fault.As(fault.Invalid, err, "Cannot read the policy %s.", policy)
	}
	return ledger.DigestOf(text), []string{string(text)}, nil
}

// besideFile is a file that goes out beside signed ones.
type besideFile struct {
	name    string
	kind    string // what its name begins with
	content []byte
}

type besideFiles []besideFile

// besideSigned reads the files that go out beside signed ones, and checks that each
// has the digest that its name begins with.
func besideSigned(dir string) (besideFiles, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil //nolint:nilerr // one file was named, with nothing beside it
	}
	var files besideFiles
	for _, e := range entries {
		kind, rest, _ := strings.Cut(e.Name(), "-")
		start, _, _ := strings.Cut(rest, ".")
		if !slices.Contains(besideKinds(), kind) || len(start) != 12 || !e.Type().IsRegular() {
			continue
		}
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fault.As(fault.Invalid, err, "Cannot read %s.", e.Name())
		}
		if digest := ledger.DigestOf(content); !strings.HasPrefix(digest.Hex(), start) {
			return nil, fault.New(fault.Unmet, "%s was changed: its bytes have the digest %s.", e.Name(), digest)
		}
		files = append(files, besideFile{e.Name(), kind, content})
	}
	return files, nil
}

// looked are the documents of what voters had opened.
func (files besideFiles) looked() (documents [][]byte) {
	for _, f := range files {
		if f.kind == "looked" {
			documents = append(documents, f.content)
		}
	}
	return documents
}

// policies returns the texts of policies among the files.
func (files besideFiles) policies() (texts []string) {
	for _, f := range files {
		if f.kind == "policy" {
			texts = append(texts, string(f.content))
		}
	}
	return texts
}

// named checks that a signed file, or one that a signed file names, names each.
func (files besideFiles) named(documents []review.Document) error {
	for _, f := range files {
		hex := []byte(ledger.DigestOf(f.content).Hex())
		if !slices.ContainsFunc(documents, func(d review.Document) bool { return bytes.Contains(d.Payload, hex) }) &&
			!slices.ContainsFunc(files, func(f besideFile) bool { return bytes.Contains(f.content, hex) }) {
			return fault.New(fault.Unmet, "None of the signed files names %s.", f.name)
		}
	}
	return nil
}

// besideKinds are what the names of files begin with that go out beside signed ones.
func besideKinds() []string { return []string{"policy", "comparison", "snapshot", "looked"} }

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
		documents = append(documents, review.Document{Name: filepath.Base(path), Payload: payload, Digest: ledger.DigestOf(signer.EnvelopeIn([]byte(part)))})
	}
	return documents, nil
}
