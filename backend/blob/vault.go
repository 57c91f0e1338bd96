package blob

import (
	"bytes"
	"context"
	"io"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/adjudge/adjudge/backend/fault"
)

// Vault is a bucket with object lock: what is put there cannot be changed or
// deleted by anybody, its owner included, until its time has come.
type Vault struct {
	client *minio.Client
	bucket string
	prefix string
	days   int
}

// vaultDays is for how long an object is locked unless the address says otherwise.
const vaultDays = 3650

// OpenVault reads the address of a bucket with object lock:
// s3://BUCKET/PREFIX?days=3650 and the parameters of OpenBucket. Nothing is asked
// of the server yet. It returns Invalid for an address that is none.
func OpenVault(address string) (*Vault, error) {
	client, u, err := bucketClient("witness", address, "days")
	if err != nil {
		return nil, err
	}
	v := &Vault{client: client, bucket: u.Host, prefix: strings.Trim(u.Path, "/"), days: vaultDays}
	if given := u.Query().Get("days"); given != "" {
		if v.days, err = strconv.Atoi(given); err != nil || v.days < 1 || v.days > 36_500 {
			return nil, fault.Field("witness", "Objects are locked for between 1 and 36500 days, not %q.", given)
		}
	}
	return v, nil
}

// Name is how people call the vault.
func (v *Vault) Name() string {
	return (&url.URL{Scheme: "s3", Host: v.bucket, Path: "/" + v.prefix}).String()
}

// Keep puts an object into the vault and locks it. The same content under the
// same name again changes nothing; another is Conflict. It returns Unmet where
// the bucket does not lock.
func (v *Vault) Keep(ctx context.Context, name string, content []byte, now time.Time) error {
	key := path.Join(v.prefix, name)
	held, err := v.read(ctx, key, int64(len(content))+1)
	switch {
	case err != nil:
		return err
	case held != nil && !bytes.Equal(held, content):
		return fault.New(fault.Conflict, "%s holds another object under %s, which we never made. Look who wrote it.", v.Name(), name)
	case held == nil:
		until := now.UTC().AddDate(0, 0, v.days).Truncate(time.Second)
		// A lock needs a sum of the content that the server checks.
		if _, err := v.client.PutObject(ctx, v.bucket, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{
			ContentType: "application/json", Mode: minio.Compliance, RetainUntilDate: until, SendContentMd5: true,
		}); err != nil {
			return v.refused(err)
		}
	}
	// The headers say what the lock is: the document about it differs between servers.
	there, err := v.client.StatObject(ctx, v.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return v.refused(err)
	}
	mode := there.Metadata.Get("X-Amz-Object-Lock-Mode")
	until, err := time.Parse(time.RFC3339, there.Metadata.Get("X-Amz-Object-Lock-Retain-Until-Date"))
	if err != nil || mode != string(minio.Compliance) || !until.After(now) {
		return fault.New(fault.Unmet, "%s does not lock what is put there. Use a bucket that was made with object lock; the object %s stays unlocked.", v.Name(), name)
	}
	return nil
}

// read returns an object, nil where there is none.
func (v *Vault) read(ctx context.Context, key string, most int64) ([]byte, error) {
	object, err := v.client.GetObject(ctx, v.bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return nil, v.refused(err)
	}
	defer func() { _ = object.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(object, most))
	switch {
	case err == nil:
		return content, nil
	case minio.ToErrorResponse(err).Code == minio.NoSuchKey:
		return nil, nil
	}
	return nil, v.refused(err)
}

func (v *Vault) refused(err error) error {
	if code := minio.ToErrorResponse(err).Code; code == minio.NoSuchBucket || code == minio.AccessDenied {
		return fault.As(fault.Unavailable, err, "There is no bucket %s, or the keys do not open it.", v.bucket)
	}
	return fault.As(fault.Unavailable, err, "The bucket %s does not take it: %v", v.bucket, err)
}
