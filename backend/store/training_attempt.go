package store

import (
	"encoding/json"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/backend/training"
)

const attemptColumns = `fence, job, number, engine, ext_id, token_hash, state, phase, reason, message, lease_until, placed_at, started_at,
	collecting_at, ended_at, beat_at, exit_code, signal, log_bytes, log_crc32, log_whole, metrics_bytes, progress, host, environment, submitted, server`

// CreateAttempt stores an attempt and gives it its fence.
func (tx *Tx) CreateAttempt(a training.Attempt) (training.Attempt, error) {
	host, err := json.Marshal(a.Host)
	if err != nil {
		return a, err
	}
	err = tx.one([]any{&a.Fence}, `INSERT INTO training_attempt (job, number, engine, ext_id, token_hash, state, phase, reason, message,
		lease_until, placed_at, started_at, collecting_at, ended_at, beat_at, exit_code, signal, log_bytes, log_crc32, log_whole, metrics_bytes,
		progress, host, environment, submitted, server)
		VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', $8, $9, 0, 0, 0, $9, 0, '', 0, 0, FALSE, 0, -1, $10, '', $11, $12) RETURNING fence`,
		string(a.Job), a.Number, a.Engine, a.ExtID, string(a.TokenHash), string(a.State), string(a.Phase), micros(a.LeaseUntil), micros(a.PlacedAt),
		string(host), a.Submitted, a.Server)
	a.Progress, a.BeatAt = -1, a.PlacedAt
	return a, fault.Wrap(err, "create attempt")
}

// GetAttempt returns an attempt.
func (tx *Tx) GetAttempt(fence int64) (training.Attempt, error) {
	var a training.Attempt
	err := scanAttempt(func(dest ...any) error {
		return tx.one(dest, `SELECT `+attemptColumns+` FROM training_attempt WHERE fence = $1`, fence)
	}, &a)
	return a, fault.Wrap(err, "get attempt")
}

// GetAttemptByToken returns the attempt to which the digest of a token belongs.
func (tx *Tx) GetAttemptByToken(hash ledger.Digest) (training.Attempt, error) {
	var a training.Attempt
	err := scanAttempt(func(dest ...any) error {
		return tx.one(dest, `SELECT `+attemptColumns+` FROM training_attempt WHERE token_hash = $1`, string(hash))
	}, &a)
	return a, fault.Wrap(err, "get attempt by token")
}

// UpdateAttempt replaces what can change of an attempt.
func (tx *Tx) UpdateAttempt(a training.Attempt) error {
	host, err := json.Marshal(a.Host)
	if err != nil {
		return err
	}
	n, err := tx.exec(`UPDATE training_attempt SET ext_id = $2, state = $3, phase = $4, reason = $5, message = $6, lease_until = $7, started_at = $8,
		collecting_at = $9, ended_at = $10, beat_at = $11, exit_code = $12, signal = $13, log_bytes = $14, log_crc32 = $15, log_whole = $16,
		metrics_bytes = $17, progress = $18, host = $19, environment = $20, submitted = $21 WHERE fence = $1`,
		a.Fence, a.ExtID, string(a.State), string(a.Phase), string(a.Reason), a.Message, micros(a.LeaseUntil), micros(a.StartedAt),
		micros(a.CollectingAt), micros(a.EndedAt), micros(a.BeatAt), a.ExitCode, a.Signal, a.LogBytes, int64(a.LogCRC32), a.LogWhole,
		a.MetricsBytes, a.Progress, string(host), string(a.Environment), a.Submitted)
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "There is no such attempt.")
	}
	return fault.Wrap(err, "update attempt")
}

// FindAttempts lists the attempts of a job, first to last.
func (tx *Tx) FindAttempts(job training.JobID) ([]training.Attempt, error) {
	return tx.attempts(`SELECT `+attemptColumns+` FROM training_attempt WHERE job = $1 ORDER BY fence`, string(job))
}

// FindActiveAttempts lists the attempts of an engine that are not over.
func (tx *Tx) FindActiveAttempts(engine string) ([]training.Attempt, error) {
	return tx.attempts(`SELECT `+attemptColumns+` FROM training_attempt WHERE ended_at = 0 AND engine = $1 ORDER BY fence`, engine)
}

func (tx *Tx) attempts(query string, args ...any) ([]training.Attempt, error) {
	var attempts []training.Attempt
	err := tx.each(query, args, func(scan func(...any) error) error {
		var a training.Attempt
		if err := scanAttempt(scan, &a); err != nil {
			return err
		}
		attempts = append(attempts, a)
		return nil
	})
	return attempts, fault.Wrap(err, "find attempts")
}

func scanAttempt(scan func(...any) error, a *training.Attempt) error {
	var lease, placed, started, collecting, ended, beat, crc int64
	var host, environment string
	err := scan(&a.Fence, &a.Job, &a.Number, &a.Engine, &a.ExtID, &a.TokenHash, &a.State, &a.Phase, &a.Reason, &a.Message, &lease, &placed, &started,
		&collecting, &ended, &beat, &a.ExitCode, &a.Signal, &a.LogBytes, &crc, &a.LogWhole, &a.MetricsBytes, &a.Progress, &host, &environment, &a.Submitted, &a.Server)
	if err != nil {
		return err
	}
	a.LogCRC32, a.Environment = uint32(crc), json.RawMessage(environment)
	a.LeaseUntil, a.PlacedAt, a.StartedAt = fromMicros(lease), fromMicros(placed), fromMicros(started)
	a.CollectingAt, a.EndedAt, a.BeatAt = fromMicros(collecting), fromMicros(ended), fromMicros(beat)
	return json.Unmarshal([]byte(host), &a.Host)
}

// AppendLog stores the bytes of a log that begin at an offset.
func (tx *Tx) AppendLog(fence, offset int64, body []byte) error {
	_, err := tx.exec(`INSERT INTO training_log (fence, start, stop, body) VALUES ($1, $2, $3, $4)`, fence, offset, offset+int64(len(body)), body)
	return fault.Wrap(err, "append log")
}

// ReadLog returns the bytes of a log from an offset on, at most limit.
func (tx *Tx) ReadLog(fence, offset int64, limit int) ([]byte, error) {
	out := []byte{}
	err := tx.each(`SELECT start, body FROM training_log WHERE fence = $1 AND stop > $2 AND start < $3 ORDER BY start`,
		[]any{fence, offset, offset + int64(limit)}, func(scan func(...any) error) error {
			var start int64
			var body []byte
			if err := scan(&start, &body); err != nil {
				return err
			}
			out = append(out, body[max(0, offset-start):]...)
			return nil
		})
	return out[:min(len(out), limit)], fault.Wrap(err, "read log")
}

// SaveOutput notes a file that an attempt brought in.
func (tx *Tx) SaveOutput(fence int64, f training.OutputFile) error {
	_, err := tx.exec(`INSERT INTO training_output (fence, path, size, digest) VALUES ($1, $2, $3, $4)
		ON CONFLICT (fence, path) DO UPDATE SET size = excluded.size, digest = excluded.digest`, fence, f.Path, f.Size, string(f.Digest))
	return fault.Wrap(err, "save output")
}

// FindOutputs lists the files that an attempt brought in, by path.
func (tx *Tx) FindOutputs(fence int64) ([]training.OutputFile, error) {
	var files []training.OutputFile
	err := tx.each(`SELECT path, size, digest FROM training_output WHERE fence = $1 ORDER BY path`, []any{fence}, func(scan func(...any) error) error {
		var f training.OutputFile
		if err := scan(&f.Path, &f.Size, &f.Digest); err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	return files, fault.Wrap(err, "find outputs")
}
