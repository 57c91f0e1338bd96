package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// placeSize is the size of the place of a salt in the history: the number of the
// event, of the seal in it, and of the part.
const placeSize = 8 + 4 + 1

// forgetPage is how many salts are taken away in one transaction.
const forgetPage = 5000

// forgetSalts takes the salts away of what was written into rows and stands there no
// more. Without its salt nobody can find out by guessing what was erased; nothing
// needs it, for a row is held against the newest seal of each part.
func (s *Store) forgetSalts(ctx context.Context) error {
	seals, places := newSorter(sealSize), newSorter(placeSize)
	defer func() { _, _ = seals.close(), places.close() }() // temporary files
	if err := s.View(ctx, func(tx *Tx) error { return tx.sealRecords(seals) }); err != nil {
		return fault.Wrap(err, "find salts of what was erased")
	}
	if err := superseded(seals, places); err != nil {
		return err
	}
	next, err := places.read()
	if err != nil {
		return err
	}
	place, err := next()
	for err == nil && place != nil {
		var page [][]byte
		var seq uint64
		for ; err == nil && place != nil; place, err = next() {
			at := binary.BigEndian.Uint64(place)
			if at != seq && len(page) >= forgetPage { // all of an event at once
				break
			}
			page, seq = append(page, slices.Clone(place)), at
		}
		if err == nil {
			err = s.Update(ctx, func(tx *Tx) error { return tx.forgetAt(page) })
		}
	}
	return fault.Wrap(err, "forget the salts of what was erased")
}

// superseded gives places those of the seals whose part was written again, or whose
// row is gone, and that still have a salt.
func superseded(seals, places *sorter) error {
	next, err := seals.read()
	if err != nil {
		return err
	}
	var row sealedRow
	var mark [markSize]byte
	var standing [256][placeSize]byte // of each part, the place of the seal that stands
	var salted [256]bool
	forget := func(part byte) error {
		if !salted[part] {
			return nil
		}
		salted[part] = false
		return places.add(standing[part][:])
	}
	for {
		record, err := next()
		if err != nil || record == nil {
			return err
		}
		if !bytes.Equal(record[:markSize], mark[:]) {
			mark, row, salted = [markSize]byte(record), sealedRow{}, [256]bool{}
		}
		seq, n, p := readRecord(record)
		place := binary.BigEndian.AppendUint64(nil, uint64(seq)) //nolint:gosec // sequence numbers count from 1
		place = binary.BigEndian.AppendUint32(place, uint32(n))  //nolint:gosec // a place in a list
		place = append(place, p.part)
		before := slices.Clone(row.parts)
		switch taken := row.take(p); {
		case p.became == partGone:
			for _, old := range before {
				if err := forget(old.part); err != nil {
					return err
				}
			}
		case !taken:
			if p.salt != [ledger.SaltSize]byte{} {
				if err := places.add(place); err != nil {
					return err
				}
			}
		default:
			if err := forget(p.part); err != nil {
				return err
			}
			standing[p.part], salted[p.part] = [placeSize]byte(place), p.salt != [ledger.SaltSize]byte{} && p.part != wholeRow
		}
	}
}

// forgetAt takes the salts at places away.
func (tx *Tx) forgetAt(places [][]byte) error {
	for len(places) > 0 {
		seq := binary.BigEndian.Uint64(places[0])
		var digest ledger.Digest
		var text, salts []byte
		if err := tx.one([]any{&digest, &text, &salts}, `SELECT row_digest, row_seals, row_salts FROM event WHERE seq = $1`, int64(seq)); err != nil { //nolint:gosec // as it was read
			return err
		}
		seals, err := sealsOf(int64(seq), digest, text, salts) //nolint:gosec // as it was read
		if err != nil {
			return err
		}
		for ; len(places) > 0 && binary.BigEndian.Uint64(places[0]) == seq; places = places[1:] {
			n, part := binary.BigEndian.Uint32(places[0][8:]), places[0][12]
			for i, p := range partsOf(seals[n], false) {
				if p.part == part {
					seals[n].Salts[i] = [ledger.SaltSize]byte{}
				}
			}
		}
		_, salts = ledger.EncodeSeals(seals)
		if _, err := tx.exec(`UPDATE event SET row_salts = $2 WHERE seq = $1`, int64(seq), salts); err != nil { //nolint:gosec // as it was read
			return err
		}
	}
	return nil
}
