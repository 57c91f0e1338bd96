package checkpoint

import (
	"bytes"
	"os"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// The lines around a checkpoint in a mail. Base64 of a line of JSON is too long
// for some mail servers, so it is broken into lines there.
const (
	armorBegin = "-----BEGIN ADJUDGE CHECKPOINT-----"
	armorEnd   = "-----END ADJUDGE CHECKPOINT-----"
)

// fold breaks an envelope, which holds no blank, into lines that a mail may carry.
func fold(envelope []byte) []byte {
	var lines [][]byte
	for len(envelope) > 70 {
		lines, envelope = append(lines, envelope[:70]), envelope[70:]
	}
	return bytes.Join(append(lines, envelope), []byte("\n"))
}

// Read reads the checkpoints of a file: a checkpoint on each line, as they are
// kept beside the data and in a Git repository, or a saved mail. It returns
// Invalid where there is none or a line is none.
func Read(path string) ([]ledger.Checkpoint, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "Cannot read the checkpoints in %s.", path)
	}
	raw = bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))
	if _, armored, ok := bytes.Cut(raw, []byte(armorBegin+"\n")); ok {
		body, _, _ := bytes.Cut(armored, []byte(armorEnd))
		raw = bytes.ReplaceAll(body, []byte("\n"), nil)
	}
	list, err := parse(path, raw)
	if err == nil && len(list) == 0 {
		err = fault.New(fault.Invalid, "%s holds no checkpoint.", path)
	}
	return list, err
}

// parse reads a checkpoint from each line.
func parse(path string, raw []byte) ([]ledger.Checkpoint, error) {
	var list []ledger.Checkpoint
	for line := range bytes.Lines(raw) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		c, err := ledger.ReadCheckpoint(line)
		if err != nil {
			return nil, fault.As(fault.Invalid, err, "Line %d of %s is no checkpoint.", len(list)+1, path)
		}
		list = append(list, c)
	}
	return list, nil
}

// Verifier checks what the keys of an installation have signed, the one that
// signs now and those before it. A key is named by the hex SHA-256 of its PEM text.
type Verifier interface {
	// Verify returns NotFound for a key that the installation never had.
	Verify(key string, envelope []byte) ([]byte, error)
}

// Check reports what is wrong with a checkpoint, seen from a history and the
// keys of its installation, or nil. length is how many events the history holds
// and hash that of event c.Seq.
func Check(c ledger.Checkpoint, keys Verifier, length int64, hash ledger.Digest) error {
	if err := c.Check(length, hash); err != nil {
		return err
	}
	_, err := keys.Verify(c.Key, c.Envelope)
	if fault.Is(err, fault.NotFound) {
		return fault.New(fault.Conflict, "The checkpoint of %s UTC was signed under the key %.12s…, which is none of this installation's keys. If it was yours, give its public key with --key.",
			c.At.UTC().Format("2006-01-02 15:04"), c.Key)
	}
	if err != nil {
		return fault.As(fault.Conflict, err, "The checkpoint of %s UTC was changed after it was signed.", c.At.UTC().Format("2006-01-02 15:04"))
	}
	return nil
}
