package review

import (
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// checkKeys holds the keys of signatures that this server does not make any more
// against the history: it must know the key, and that the signature was made
// before another key took its place. Otherwise whoever got hold of an old key
// could go on signing with it.
func (d dossier) checkKeys(found func(string)) {
	keys := ledger.IntroducedBy(d.Keys)
	known := keys.Known()
	for _, a := range d.Attestations {
		if a.Key == d.Signer.Hint() {
			continue
		}
		if !known[a.Key] {
			if _, err := d.Signer.PEM(a.Key); err == nil {
				found(fault.Say("The history does not know the key %.12s…, so what it signed counts for nothing.", a.Key))
			}
			continue // that it is not there is said of the signature
		}
		at := d.signedAt(a)
		if at == 0 {
			found(fault.Say("The history does not know that the key %.12s… signed the %s %s.", a.Key, a.Kind, a.Ref))
			continue
		}
		then := -1
		for i, seq := range keys.Since {
			if seq < at {
				then = i
			}
		}
		if then >= 0 && keys.Used[then].Hint != a.Key {
			found(fault.Say("The %s %s was signed with the key %.12s… when the key %.12s… had already taken its place.", a.Kind, a.Ref, a.Key, keys.Used[then].Hint))
		}
	}
}

// signedAt returns the number of the event of a signature, 0 for none.
func (d dossier) signedAt(a Attestation) int64 {
	for _, r := range d.Records {
		if r.Kind == eventSigned && r.Salt != nil && commits(r, signedPayload(a)) {
			return r.Seq
		}
	}
	return 0
}

// signedPayload is what the event of a signature says.
func signedPayload(a Attestation) map[string]string {
	return map[string]string{"kind": string(a.Kind), "ref": a.Ref, "key": a.Key, "digest": string(a.Digest)}
}

// notes says which signatures hold under a key that signs no more.
func (d dossier) notes() []string {
	var notes []string
	for _, a := range d.Attestations {
		if _, err := d.Signer.PEM(a.Key); err != nil || a.Key == d.Signer.Hint() {
			continue
		}
		note := fault.Say("Signed under the key %.12s…, which this server no longer holds. Its public half is kept, and the signatures are checked with it.", a.Key)
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	return notes
}

// publicKeys returns the keys that verify some attestations, each once: the one
// of the last first, under the name by which people know it.
func (s *Service) publicKeys(attestations []Attestation) ([]File, error) {
	var hints []string
	for _, a := range slices.Backward(attestations) {
		if !slices.Contains(hints, a.Key) {
			hints = append(hints, a.Key)
		}
	}
	if len(hints) == 0 {
		hints = []string{s.Signer.Hint()}
	}
	var files []File
	for _, hint := range hints {
		text, err := s.Signer.PEM(hint)
		if fault.Is(err, fault.NotFound) {
			return nil, fault.As(fault.Conflict, err, "This was signed under the key %.12s…, which this server no longer holds, nor its public half, so nobody could check it. "+
				"Put the public key into the folder keys/known of the data directory and start the server again.", hint)
		}
		if err != nil {
			return nil, err
		}
		name := "adjudge.pub"
		if len(files) > 0 {
			name = "adjudge-" + hint[:12] + ".pub"
		}
		files = append(files, File{name, text})
	}
	return files, nil
}
