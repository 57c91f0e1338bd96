package app

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/adjudge/adjudge/backend/blob"
	"github.com/adjudge/adjudge/backend/blob/blobtest"
	"github.com/adjudge/adjudge/backend/checkpoint"
	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

func TestABucketWithObjectLockIsAWitness(t *testing.T) {
	bucket := blobtest.Start(t)
	for _, pair := range blobtest.Environment() {
		name, value, _ := strings.Cut(pair, "=")
		t.Setenv(name, value)
	}
	ctx := t.Context()
	if err := bucket.Client.MakeBucket(ctx, "locked", minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	address := strings.Replace(bucket.Address("history"), "s3://"+bucket.Name, "s3://locked", 1) + "&days=1"
	h, err := openHouse(ctx, settings{Data: t.TempDir(), Port: "0", Witness: []string{address}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.close() }()
	admin := ledger.Actor{Person: "boss", Via: ledger.ViaLogin, Admin: true, Scope: ledger.ScopeFull}
	made, err := h.keeper.Make(ctx, "daily")
	if err != nil {
		t.Fatal(err)
	}
	settle(t, h)
	settle(t, h) // again: nothing is there twice
	state, err := h.keeper.State(ctx, admin)
	if err != nil || len(state.Witnesses) != 1 || state.Witnesses[0].Waiting != 0 || state.Witnesses[0].Reason != "" || state.Witnesses[0].Name != "s3://locked/history" {
		t.Fatalf("the witness: %+v, %v", state.Witnesses, err)
	}
	var last minio.ObjectInfo
	count := 0
	for o := range bucket.Client.ListObjects(ctx, "locked", minio.ListObjectsOptions{Prefix: "history/", Recursive: true}) {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		count++
		last = o
	}
	if count != len(state.Checkpoints) {
		t.Fatalf("%d objects for %d checkpoints", count, len(state.Checkpoints))
	}
	t.Run("doctor reads it as it is", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "from-bucket.jsonl")
		if err := bucket.Client.FGetObject(ctx, "locked", last.Key, path, minio.GetObjectOptions{}); err != nil {
			t.Fatal(err)
		}
		list, err := checkpoint.Read(path)
		if err != nil || len(list) != 1 || list[0].Hash != made.Hash {
			t.Errorf("read %+v, %v", list, err)
		}
	})
	t.Run("nobody takes it back", func(t *testing.T) {
		err := bucket.Client.RemoveObject(ctx, "locked", last.Key, minio.RemoveObjectOptions{VersionID: last.VersionID, GovernanceBypass: true})
		if _, there := bucket.Client.StatObject(ctx, "locked", last.Key, minio.StatObjectOptions{}); err == nil || there != nil {
			t.Errorf("removed: %v, %v", err, there)
		}
	})
	t.Run("another content under its name is refused", func(t *testing.T) {
		vault, err := blob.OpenVault(address)
		if err != nil {
			t.Fatal(err)
		}
		err = vault.Keep(ctx, strings.TrimPrefix(last.Key, "history/"), []byte("{}\n"), time.Now())
		if !fault.Is(err, fault.Conflict) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a bucket that does not lock says so", func(t *testing.T) {
		vault, err := blob.OpenVault(bucket.Address("history"))
		if err != nil {
			t.Fatal(err)
		}
		if err := vault.Keep(ctx, "one.jsonl", []byte("{}\n"), time.Now()); err == nil {
			t.Error("it is taken for locked")
		}
		none, err := blob.OpenVault(strings.Replace(address, "s3://locked", "s3://nowhere", 1))
		if err != nil {
			t.Fatal(err)
		}
		if err := none.Keep(ctx, "one.jsonl", []byte("{}\n"), time.Now()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("no bucket: %v", err)
		}
	})
	if _, err := openWitness("s3://b/p?days=0", t.TempDir(), "x"); fault.Fields(err)["witness"] == "" {
		t.Errorf("0 days: %v", err)
	}
	if _, err := os.Stat(filepath.Join(h.data.file("checkpoints"), checkpoint.File)); err != nil {
		t.Error(err)
	}
}
