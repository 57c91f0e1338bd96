// Package signer keeps the key of this installation and makes and checks
// signatures: DSSE envelopes with ECDSA P-256, and the sigstore bundles around
// them. It needs nothing but the standard library.
package signer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/adjudge/adjudge/backend/fault"
)

// PayloadType is the type of every payload that is signed here.
const PayloadType = "application/vnd.in-toto+json"

// BundleType is the media type of the bundles that are handed out.
const BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// Envelope is a DSSE envelope. KeyID stays empty: the verifiers that exist
// accept nothing else but one SSH form.
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"`
	Signatures  []Signature `json:"signatures"`
}

// Signature is one signature of an envelope.
type Signature struct {
	Sig   string `json:"sig"`
	KeyID string `json:"keyid"`
}

// PAE returns the pre-authentication encoding: the bytes that are signed.
func PAE(payloadType string, payload []byte) []byte {
	var b bytes.Buffer
	b.WriteString("DSSEv1 " + strconv.Itoa(len(payloadType)) + " " + payloadType + " " + strconv.Itoa(len(payload)) + " ")
	b.Write(payload)
	return b.Bytes()
}

// bundle is a sigstore bundle with a bare public key.
type bundle struct {
	MediaType            string               `json:"mediaType"`
	VerificationMaterial verificationMaterial `json:"verificationMaterial"`
	Envelope             json.RawMessage      `json:"dsseEnvelope"`
}

type verificationMaterial struct {
	PublicKey   publicKeyHint     `json:"publicKey"`
	TlogEntries []json.RawMessage `json:"tlogEntries"`
}

type publicKeyHint struct {
	Hint string `json:"hint"`
}

// Bundle wraps an envelope that this key signed into a sigstore bundle.
func (p Public) Bundle(envelope []byte) ([]byte, error) {
	out, err := json.Marshal(bundle{
		MediaType:            BundleType,
		VerificationMaterial: verificationMaterial{PublicKey: publicKeyHint{Hint: p.Hint()}, TlogEntries: []json.RawMessage{}},
		Envelope:             envelope,
	})
	return out, fault.Wrap(err, "make a sigstore bundle")
}

// Verify checks an envelope, or a bundle around one, with a public key and
// returns the payload that was signed. Every signature in it must verify, and
// there must be one. It returns Invalid for everything else.
func (p Public) Verify(document []byte) ([]byte, error) {
	document, err := p.unwrap(document)
	if err != nil {
		return nil, err
	}
	var envelope Envelope
	if err := strict(document, &envelope); err != nil {
		return nil, fault.As(fault.Invalid, err, "This is no DSSE envelope.")
	}
	if envelope.PayloadType != PayloadType {
		return nil, fault.New(fault.Invalid, "The payload has the type %.80q instead of %s.", envelope.PayloadType, PayloadType)
	}
	payload, err := decode(envelope.Payload)
	if err != nil {
		return nil, fault.As(fault.Invalid, err, "The payload is not base64.")
	}
	if len(envelope.Signatures) == 0 {
		return nil, fault.New(fault.Invalid, "The envelope carries no signature.")
	}
	sum := sha256.Sum256(PAE(envelope.PayloadType, payload))
	for _, signature := range envelope.Signatures {
		raw, err := decode(signature.Sig)
		if err != nil || signature.KeyID != "" || !ecdsa.VerifyASN1(p.key, sum[:], raw) {
			return nil, fault.New(fault.Invalid, "The signature does not belong to this key and these bytes: somebody changed the file, or it was signed elsewhere.")
		}
	}
	return payload, nil
}

// errOtherKey is why a bundle is refused that names another key.
var errOtherKey = errors.New("another key")

// unwrap takes the envelope out of a bundle, whose hint must name this key.
func (p Public) unwrap(document []byte) ([]byte, error) {
	var kind struct {
		MediaType string `json:"mediaType"`
	}
	if err := json.Unmarshal(document, &kind); err != nil {
		return nil, fault.As(fault.Invalid, err, "This is no JSON document.")
	}
	if kind.MediaType == "" {
		return document, nil
	}
	var b bundle
	if err := strict(document, &b); err != nil || b.MediaType != BundleType {
		return nil, fault.As(fault.Invalid, err, "This is no sigstore bundle of version 0.3.")
	}
	if b.VerificationMaterial.PublicKey.Hint != p.Hint() {
		return nil, fault.As(fault.Invalid, errOtherKey, "The bundle was signed with another key than the one given.")
	}
	return b.Envelope, nil
}

// EnvelopeIn returns the envelope inside a sigstore bundle, and any other document
// as it is. It checks nothing.
func EnvelopeIn(document []byte) []byte {
	var b struct {
		MediaType string          `json:"mediaType"`
		Envelope  json.RawMessage `json:"dsseEnvelope"`
	}
	if json.Unmarshal(document, &b) != nil || b.MediaType == "" {
		return document
	}
	return b.Envelope
}

func strict(document []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(document))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if dec.More() {
		return fmt.Errorf("something follows the document")
	}
	return nil
}

// decode reads both alphabets of base64, as the DSSE specification asks, but no
// second spelling of the same bytes.
func decode(text string) ([]byte, error) {
	encoding := base64.StdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.URLEncoding
	}
	if strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("a line break in base64")
	}
	return encoding.Strict().DecodeString(text)
}
