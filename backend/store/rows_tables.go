package store

import "slices"

// proven is a table whose rows doctor holds against the history.
type proven struct {
	name string
	key  []string // what a row is known by; never changed
	// parts are the columns that are sealed beside the key, one by one or in groups.
	// A later migration adds to the end alone.
	parts [][]string
	// loose are the columns that are not sealed, and why not.
	loose map[string]string
	// hides says that the key may name somebody at a provider: the history, from
	// which it cannot be erased, holds its digest.
	hides bool
	// many says that there are very many rows: a statement that changes one is taken
	// at its word, and its row is not read before. It must write whole parts.
	many bool
	// decides says that the gate rests on the rows.
	decides bool
}

// columns are those of all parts.
func (t proven) columns() []string { return slices.Concat(t.parts...) }

// all are the columns of a seal.
func (t proven) all() []string { return slices.Concat(t.key, t.columns()) }

// table is a table whose columns are sealed one by one.
func table(name string, key, columns []string, loose map[string]string) proven {
	t := proven{name: name, key: key, loose: loose}
	for _, c := range columns {
		t.parts = append(t.parts, []string{c})
	}
	return t
}

// large is a table of very many rows, whose columns are sealed in groups.
func large(name string, key []string, parts [][]string, loose map[string]string) proven {
	return proven{name: name, key: key, parts: parts, loose: loose, many: true}
}

// hiding is the table with keys that the history does not hold as they are.
func (t proven) hiding() proven {
	t.hides = true
	return t
}

// deciding is the table as one on which the gate rests.
func (t proven) deciding() proven {
	t.decides = true
	return t
}

const (
	whyTime     = "the time of the last use, written at every use; what was done then is recorded by itself"
	whyProgress = "how far work is; what comes of it is sealed when it is there"
	whyCopy     = "a copy for lists and queues of what a prediction set holds, which is sealed"
	whyTaste    = "a person's own setting of how pages look"
	whyCounted  = "counted from rows that are sealed"
	whyOrder    = "the database gives it; the order of rows is that of their events"
)

// provenTables lists the tables whose rows are sealed.
func provenTables() []proven { return everyProven }

var everyProven = []proven{
	// Who may do what.
	table("person", []string{"id"}, []string{"username", "name", "admin", "disabled", "password", "owner", "created_at", "changed_at"},
		map[string]string{"time_zone": whyTaste, "untimed": whyTaste, "unnotified": whyTaste, "keys": whyTaste, "language": whyTaste, "text_size": whyTaste,
			"lock_after": whyTaste, "unseen": whyTaste, "asked_at": whyTime}).deciding(),
	table("membership", []string{"project", "person", "role"}, nil, nil).deciding(),
	table("person_group", []string{"id"}, []string{"name", "created_at"}, nil).deciding(),
	table("group_member", []string{"team", "person"}, []string{"provided"}, nil).deciding(),
	table("group_role", []string{"team", "project", "role"}, nil, nil).deciding(),
	table("provider_group", []string{"name", "team"}, nil, nil),
	table("provider_identity", []string{"issuer", "subject"}, []string{"person", "created_at", "email"}, map[string]string{"used_at": whyTime}).hiding(),
	table("access_grant", []string{"project", "holder", "role"}, []string{"granted_by", "granted_at", "confirmed_by", "confirmed_at"}, nil).deciding(),
	table("token", []string{"id"}, []string{"person", "name", "scope", "hash", "hint", "created_at", "expires_at", "revoked_at"}, map[string]string{"used_at": whyTime}),
	table("login", []string{"id"}, []string{"person", "hash", "created_at", "agent", "address", "issuer"},
		map[string]string{"seen_at": whyTime, "expires_at": "it goes on with every use", "locked_at": "a lock that is taken away asks for the password all the same"}),
	table("link", []string{"hash"}, []string{"purpose", "person", "created_at", "expires_at"}, nil),

	// What is judged by whom.
	table("policy", []string{"project", "version"}, []string{"digest", "text", "created_by", "created_at"}, nil).deciding(),
	table("model", []string{"id"}, []string{"project", "name", "version", "digest", "files", "run", "snapshot", "params", "metrics", "environment", "trained_by", "created_by", "created_at"}, nil).deciding(),
	table("candidate", []string{"id"}, []string{"project", "number", "subject_kind", "subject", "name", "model", "environment", "note", "state", "policy", "baseline", "baseline_number",
		"baseline_name", "baseline_model", "baseline_subject", "proposed_by", "trained_by", "created_at", "opened_at", "decided_at"}, nil).deciding(),
	table("vote", []string{"id"}, []string{"candidate", "subject_kind", "subject", "environment", "policy", "baseline", "person", "printed_name", "role", "label", "value", "words",
		"withdrawn", "comment", "sentence", "assurance", "time_zone", "evidence", "at", "seq", "looked"}, nil).deciding(),
	table("candidate_comment", []string{"id"}, []string{"candidate", "person", "printed_name", "text", "via", "at", "kind", "seq"}, nil).deciding(),
	table("sign_off", []string{"id"}, []string{"candidate", "subject_kind", "subject", "environment", "policy", "results", "votes", "evidence", "at", "expires_at", "seq", "people"}, nil).deciding(),
	table("sign_off_maker", []string{"sign_off"}, []string{"makers"}, nil).deciding(),
	table("maker", []string{"digest", "person", "how", "project", "thing"}, []string{"at"}, nil).deciding(),
	table("signing_key", []string{"key"}, []string{"pem", "statement", "at"}, nil).deciding(),
	table("revocation", []string{"id"}, []string{"sign_off", "candidate", "subject_kind", "subject", "environment", "person", "printed_name", "reason", "sentence", "assurance", "time_zone", "at", "seq"}, nil).deciding(),
	table("attestation", []string{"kind", "ref"}, []string{"candidate", "predicate", "key", "envelope", "digest", "at", "seq"}, nil).deciding(),
	table("measurement", []string{"candidate", "baseline", "snapshot"}, []string{"state", "reason", "digest", "changed_at"}, nil).deciding(),

	// What it is judged on.
	table("snapshot", []string{"id"}, []string{"project", "number", "name", "purpose", "datasets", "state", "failure", "digest", "schema_digest", "schema_json", "row_file", "row_bytes",
		"parquet_file", "parquet_bytes", "items", "classes", "answerers", "merged", "held_out", "created_by", "created_at"},
		map[string]string{"progress": whyProgress, "progress_total": whyProgress}).deciding(),
	table("prediction_set", []string{"id"}, []string{"project", "model", "snapshot", "dataset", "state", "keys_digest", "digest", "rows", "report", "created_by", "created_at",
		"version", "origin", "job", "attempt", "withdrawn_at", "withdrawn_by", "withdrawn_reason"}, nil).deciding(),
	table("answer_gap", []string{"snapshot", "sets"}, nil, nil).deciding(),
	table("evaluation", []string{"project", "model", "snapshot", "digest"}, []string{"inputs", "items", "accuracy", "macro_f1", "created_at"}, nil),
	table("comparison", []string{"project", "baseline", "candidate", "snapshot", "digest"}, []string{"inputs", "items", "verdict", "difference", "p", "created_by", "created_at"}, nil).deciding(),
	table("run", []string{"id"}, []string{"project", "number", "kind", "name", "recipe", "snapshot", "params", "created_at", "person"},
		map[string]string{"state": whyProgress, "reason": whyProgress, "primary_name": whyProgress, "primary_value": whyProgress, "started_at": whyProgress, "ended_at": whyProgress}),

	// What was answered.
	table("project", []string{"id"}, []string{"slug", "name", "schema", "schema_version", "overlap", "created_at", "lock_after"}, nil),
	table("dataset", []string{"id"}, []string{"project", "name", "purpose", "created_at", "sensitive"}, nil).deciding(),
	large("item", []string{"id"}, [][]string{{"project", "dataset", "key", "created_at"}, {"content", "text", "meta"}, {"status", "label"}},
		map[string]string{"seq": whyOrder, "answers": whyCounted, "model": whyCopy, "model_label": whyCopy, "model_score": whyCopy, "uncertainty": whyCopy}),
	large("item_media", []string{"item"}, [][]string{{"dataset", "uri", "digest", "bytes", "type"}},
		map[string]string{"state": "what the last look at the file found; doctor --media looks again", "found": "as state", "found_at": "as state"}),
	large("annotation", []string{"id"}, [][]string{{"project", "dataset", "item", "person", "kind", "class", "suggestion", "score", "untouched", "extra", "seen_ms", "at"}, {"reason"}, {"state"}}, nil),
	table("item_bulk", []string{"id"}, []string{"project", "action", "class", "reason", "person", "items", "created_at", "undone_at"}, nil),

	// What is kept and what goes.
	table("trash", []string{"kind", "project", "id"}, []string{"name", "reason", "person", "at", "purged_at"}, nil).deciding(),
	table("retention", []string{"kind"}, []string{"days", "person", "at"}, nil),
	table("legal_hold", []string{"kind", "subject"}, []string{"reason", "person", "at"}, nil),
	table("erased_payload", []string{"seq"}, []string{"cause"}, nil),
}

// unproven are the tables whose rows are not sealed, and why not.
var unproven = map[string]string{
	"event":            "the chain itself: every byte of an event is covered by its hash",
	"event_payload":    "its event commits to it",
	"checkpoint":       "each row is signed, and stands in a file beside the database",
	"witness":          "how far the witnesses are; each has its checkpoints itself",
	"meta":             "the installation's id and sealed key: with another id or key no checkpoint and no signature holds",
	"work":             "what is still to be done; what is done is recorded by itself",
	"server":           "which servers run now",
	"goose_db_version": "the numbers of the migrations; a schema that is not theirs fails by itself",
	"scrub":            "zeros that overwrite free pages",
	"erasing":          whyProgress,
	"import":           "how far an import is; what came of it are items and answers, which are sealed, and an event says how many",
	"import_problem":   "lines of an import that were refused",
	"media_check":      whyProgress,
	"training_job":     whyProgress,
	"training_attempt": whyProgress,
	"training_output":  "files that an attempt handed over; the model names those that count by digest",
	"training_log":     "what a process printed",
	"run_point":        "curves of a training; the model's metrics are sealed",
	"item_bulk_row":    "what an undo would take back; the undo is recorded, and what it changes is sealed",
	"draft":            "an answer that was not given yet",
	"label_keys":       whyTaste,
	"dataset_view":     "a note that somebody looked, so that one event is written an hour",
	"project_use":      whyTime,
	"known_browser":    "a browser that wrong guesses by strangers do not lock out; it lets nobody in",
	"item_shown":       "who was shown what others said, so that they are not asked about it; it gives nobody a say",
	"password_limit":   "how many wrong passwords there were lately",
	"look":             "how long somebody had a page in view, told every few seconds; a vote holds what it says of it",
	"look_item":        "as look",
	"queue":            "the order in which items are offered",
	"queue_generation": "as queue",
	"queue_row":        "as queue",
	"task_page":        "who labels at this moment",
	"task_lease":       "what is offered at this moment",
	"item_count":       whyCounted,
	"answer_count":     whyCounted,
	"item_key":         "an index of items by their keys, which are sealed",
	"item_run":         "as item_key",
	"item_words":       "the search index, made from texts that are sealed",
	"item_terms":       "as item_words",
	"item_indexed":     "as item_words",
}
