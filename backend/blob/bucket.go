package blob

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/adjudge/adjudge/backend/fault"
	"github.com/adjudge/adjudge/backend/ledger"
)

// Bucket keeps blobs in an S3-compatible bucket, so that several servers have
// the same ones. What is read comes down once into a directory of this machine,
// where it is checked against its digest before anybody reads it; nothing is
// held in memory whole.
type Bucket struct {
	client *minio.Client
	bucket string
	prefix string
	cache  *Dir
	most   int64 // bytes that the cache may hold

	mu      sync.Mutex
	coming  map[ledger.Digest]*download
	written int64 // bytes that went into the cache since it was last trimmed
}

// download is one object on its way; whoever wants it too waits.
type download struct {
	done chan struct{}
	err  error
}

// cacheSize is how much of a bucket is kept on this machine, in bytes.
const cacheSize = 8 << 30

// IsBucket reports whether an address names a bucket.
func IsBucket(address string) bool { return strings.HasPrefix(address, "s3://") }

// OpenBucket opens the blobs of a bucket: s3://BUCKET/PREFIX, with the
// parameters endpoint (https://host:port, Amazon's if missing), region, and
// style=path for servers that have no name per bucket. The keys come from the
// environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), the AWS credentials
// file or the machine's own role. cache is a directory of this server alone. It
// returns Invalid for an address that is none and Unavailable when the bucket
// cannot be reached.
func OpenBucket(ctx context.Context, address, cache string) (*Bucket, error) {
	client, u, err := bucketClient("blobs", address)
	if err != nil {
		return nil, err
	}
	kept, err := Open(cache)
	if err != nil {
		return nil, err
	}
	b := &Bucket{client: client, bucket: u.Host, prefix: strings.Trim(u.Path, "/"), cache: kept, most: cacheSize, coming: map[ledger.Digest]*download{}}
	if err := b.Ready(ctx); err != nil {
		return nil, err
	}
	return b, nil
}

// bucketClient reads the address of a bucket, with more parameters where some are
// named. field is what a person gave it as.
func bucketClient(field, address string, more ...string) (*minio.Client, *url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.User != nil {
		return nil, nil, fault.Field(field, "%q is no address of a bucket; it looks like s3://bucket/prefix?endpoint=https://host. Keys go into the environment.", address)
	}
	endpoint, secure := "s3.amazonaws.com", true
	query, known := u.Query(), append([]string{"endpoint", "region", "style"}, more...)
	for name := range query {
		if !slices.Contains(known, name) {
			return nil, nil, fault.Field(field, "A bucket has no parameter %q; there are %s.", name, strings.Join(known, ", "))
		}
	}
	if given := query.Get("endpoint"); given != "" {
		at, err := url.Parse(given)
		if err != nil || at.Host == "" || at.Scheme != "https" && at.Scheme != "http" || strings.Trim(at.Path, "/") != "" {
			return nil, nil, fault.Field(field, "The endpoint %q is no address of a server; it looks like https://host:9000.", given)
		}
		endpoint, secure = at.Host, at.Scheme == "https"
	}
	lookup := minio.BucketLookupAuto
	if query.Get("style") == "path" {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(endpoint, &minio.Options{
		Secure: secure, Region: query.Get("region"), BucketLookup: lookup,
		Creds: credentials.NewChainCredentials([]credentials.Provider{&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}}),
	})
	if err != nil {
		return nil, nil, fault.As(fault.Invalid, err, "The bucket %s cannot be opened", u.Host)
	}
	return client, u, nil
}

// Ready reports whether the bucket answers and lets us in.
func (b *Bucket) Ready(ctx context.Context) error {
	there, err := b.client.BucketExists(ctx, b.bucket)
	if err != nil {
		return b.unavailable(err)
	}
	if !there {
		return fault.New(fault.Unavailable, "There is no bucket %s, or the keys do not open it.", b.bucket)
	}
	return nil
}

func (b *Bucket) name(digest ledger.Digest) string {
	hex := digest.Hex()
	return path.Join(b.prefix, hex[:2], hex)
}

// Put stores what it reads and returns its digest and size in bytes. When it
// returns, the bucket has acknowledged the bytes.
func (b *Bucket) Put(ctx context.Context, in io.Reader) (ledger.Digest, int64, error) {
	// The name of an object is its digest, which is known at the end only: so it
	// waits on the disk, and what was just written is what is read next anyway.
	digest, size, err := b.cache.Put(ctx, in)
	if err != nil {
		return "", 0, err
	}
	name := b.name(digest)
	if info, err := b.client.StatObject(ctx, b.bucket, name, minio.StatObjectOptions{}); err == nil && info.Size == size {
		return digest, size, nil
	}
	file, err := os.Open(b.cache.Path(digest))
	if err != nil {
		return "", 0, unavailable(err)
	}
	defer func() { _ = file.Close() }()
	_, err = b.client.PutObject(ctx, b.bucket, name, file, size, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return "", 0, b.unavailable(err)
	}
	b.trim(size)
	return digest, size, nil
}

// Open opens the bytes of a digest. It returns NotFound when there are none and
// Conflict when they are not what their name says.
func (b *Bucket) Open(ctx context.Context, digest ledger.Digest) (io.ReadSeekCloser, error) {
	if len(digest.Hex()) != 2*sha256.Size {
		return nil, fault.New(fault.NotFound, "The file %s is not here.", digest)
	}
	file, err := b.cached(digest)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if err := b.fetch(ctx, digest); err != nil {
		return nil, err
	}
	file, err = b.cached(digest)
	if err != nil {
		return nil, unavailable(err)
	}
	return file, nil
}

// cached opens what is on this machine already, and notes that it was wanted.
func (b *Bucket) cached(digest ledger.Digest) (io.ReadSeekCloser, error) {
	at := b.cache.Path(digest)
	file, err := os.Open(at)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	_ = os.Chtimes(at, now, now) // only decides what goes first
	return file, nil
}

// fetch brings an object down, once however many want it.
func (b *Bucket) fetch(ctx context.Context, digest ledger.Digest) error {
	for {
		b.mu.Lock()
		running := b.coming[digest]
		if running == nil {
			running = &download{done: make(chan struct{})}
			b.coming[digest] = running
			b.mu.Unlock()
			running.err = b.bring(ctx, digest)
			b.mu.Lock()
			delete(b.coming, digest)
			b.mu.Unlock()
			close(running.done)
			return running.err
		}
		b.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-running.done:
		}
		if !errors.Is(running.err, context.Canceled) {
			return running.err
		} // the one who fetched it left: fetch it ourselves
	}
}

func (b *Bucket) bring(ctx context.Context, digest ledger.Digest) error {
	object, err := b.client.GetObject(ctx, b.bucket, b.name(digest), minio.GetObjectOptions{})
	if err != nil {
		return b.unavailable(err)
	}
	defer func() { _ = object.Close() }()
	info, err := object.Stat()
	if err != nil {
		if code := minio.ToErrorResponse(err); code.StatusCode == http.StatusNotFound {
			return fault.As(fault.NotFound, err, "The file %s is not here.", digest)
		}
		return b.unavailable(err)
	}
	got, size, err := b.cache.Put(ctx, object)
	if err != nil {
		if _, ours := errors.AsType[*fault.Error](err); ours || ctx.Err() != nil {
			return err
		}
		return b.unavailable(err)
	}
	if got != digest || size != info.Size {
		_ = os.Remove(b.cache.Path(got)) // it is nobody's
		return changed(digest, got)
	}
	b.trim(size)
	return nil
}

// Remove takes the object of a digest away, and this server's copy of it; where
// there is none, nothing happens. Another server's copy goes when its cache is
// full, and a bucket that keeps versions keeps the old one.
func (b *Bucket) Remove(ctx context.Context, digest ledger.Digest) error {
	if len(digest.Hex()) != 2*sha256.Size {
		return nil
	}
	if err := b.client.RemoveObject(ctx, b.bucket, b.name(digest), minio.RemoveObjectOptions{}); err != nil {
		return b.unavailable(err)
	}
	return b.cache.Remove(ctx, digest)
}

// Check reads the bytes of a digest from the bucket and returns Conflict when
// they are not what their name says.
func (b *Bucket) Check(ctx context.Context, digest ledger.Digest) error {
	object, err := b.client.GetObject(ctx, b.bucket, b.name(digest), minio.GetObjectOptions{})
	if err != nil {
		return b.unavailable(err)
	}
	defer func() { _ = object.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, object); err != nil {
		if code := minio.ToErrorResponse(err); code.StatusCode == http.StatusNotFound {
			return fault.As(fault.NotFound, err, "The file %s is not here.", digest)
		}
		return b.unavailable(err)
	}
	if got := ledger.DigestFrom([sha256.Size]byte(hash.Sum(nil))); got != digest {
		return changed(digest, got)
	}
	return nil
}

// Each calls visit with the digest of every blob.
func (b *Bucket) Each(visit func(ledger.Digest) error) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	prefix := b.prefix
	if prefix != "" {
		prefix += "/"
	}
	for object := range b.client.ListObjects(ctx, b.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			return b.unavailable(object.Err)
		}
		digest, err := ledger.ParseDigest("sha256:" + path.Base(object.Key))
		if err != nil || b.name(digest) != object.Key {
			continue // not one of ours
		}
		if err := visit(digest); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bucket) unavailable(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.As(fault.Unavailable, err, "The bucket %s does not answer as it should. Try again in a moment.", b.bucket)
}

// trim removes what was wanted least lately, once a sixteenth of what the cache
// may hold was written since the last time. Who has a file open keeps it.
func (b *Bucket) trim(size int64) {
	b.mu.Lock()
	b.written += size
	due := b.written > b.most/16
	if due {
		b.written = 0
	}
	b.mu.Unlock()
	if !due {
		return
	}
	type file struct {
		path string
		size int64
		at   time.Time
	}
	var files []file
	var sum int64
	_ = filepath.WalkDir(b.cache.root, func(at string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Dir(at) == b.cache.incoming() {
			return nil //nolint:nilerr // gone meanwhile, or a folder
		}
		if info, err := entry.Info(); err == nil {
			files = append(files, file{at, info.Size(), info.ModTime()})
			sum += info.Size()
		}
		return nil
	})
	slices.SortFunc(files, func(x, y file) int { return x.at.Compare(y.at) })
	for _, f := range files {
		if sum <= b.most {
			return
		}
		if os.Remove(f.path) == nil {
			sum -= f.size
		}
	}
}

func changed(digest, got ledger.Digest) error {
	return fault.New(fault.Conflict, "The file %s was changed; its bytes now have the digest %s.", digest, got)
}

// Store is a place for blobs: a directory or a bucket.
type Store interface {
	Put(context.Context, io.Reader) (ledger.Digest, int64, error)
	Open(context.Context, ledger.Digest) (io.ReadSeekCloser, error)
	Check(context.Context, ledger.Digest) error
	Each(visit func(ledger.Digest) error) error
	// Remove takes the bytes of a digest away; where there are none, nothing happens.
	Remove(context.Context, ledger.Digest) error
	// Ready reports whether the place can be written and read now.
	Ready(context.Context) error
	// Interrupted lists what was on its way in and has not grown since a moment:
	// an upload that broke off with its server. Nobody ever reads it.
	Interrupted(since time.Time) ([]Leftover, error)
	// Tidy removes what Interrupted lists, and returns what it removed.
	Tidy(since time.Time) ([]Leftover, error)
}

var (
	_ Store = (*Dir)(nil)
	_ Store = (*Bucket)(nil)
)

// OpenAt opens the blobs at an address: a bucket (see OpenBucket) or a directory.
// cache is where what comes from a bucket is kept on this machine.
func OpenAt(ctx context.Context, address, cache string) (Store, error) {
	if IsBucket(address) {
		b, err := OpenBucket(ctx, address, cache)
		if err != nil {
			return nil, err // not a nil *Bucket in a Store
		}
		return b, nil
	}
	if strings.Contains(address, "://") {
		return nil, fault.Field("blobs", "%q is no place for files; use a directory or s3://bucket/prefix.", address)
	}
	d, err := Open(address)
	if err != nil {
		return nil, fmt.Errorf("open the files: %w", err)
	}
	return d, nil
}
