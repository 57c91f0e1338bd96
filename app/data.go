package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/adjudge/adjudge/backend/fault"
)

// dataDir is the directory in which a server keeps everything: its database,
// its files, its keys. One process at a time owns it.
//
//	adjudge.db       the database, unless --database names another
//	blobs/           files by their digest
//	backups/         the database as it was before each upgrade
//	id               the name of this directory, in cookies
//	lock             held by the process that owns the directory
//	server.json      where the server is now; gone when it stops in good order
//	credential.json  server and token for commands on this machine (0600)
//	window.json      port, size and zoom of the desktop window; browser storage belongs to the port
//	desktop.json     the server that the desktop window shows
//	servers/NAME/    what the window keeps for a team's server: its own window.json, and login.json (0600)
type dataDir struct {
	path string
	id   string
	lock *os.File
}

// dataPath returns the data directory that a command works with.
func dataPath(flag string) (string, error) {
	path := flag
	if path == "" {
		path = os.Getenv("ADJUDGE_DATA")
	}
	if path == "" {
		base := os.Getenv("XDG_DATA_HOME")
		if base == "" {
			home, err := os.UserHomeDir()
			if err != nil {
				return "", fault.As(fault.Invalid, err, "There is no home directory; name a data directory with --data.")
			}
			base = filepath.Join(home, ".local", "share")
		}
		path = filepath.Join(base, "adjudge")
	}
	return filepath.Abs(path)
}

// errOwned says that another process owns a data directory.
var errOwned = errors.New("the data directory is in use")

// openData takes a data directory for this process. It returns Conflict, with
// errOwned behind it, when another process has it.
func openData(path string) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fault.As(fault.Unavailable, err, "The data directory %s cannot be made", path)
	}
	d := &dataDir{path: path}
	lock, err := lockFile(d.file("lock"))
	if err != nil && !errors.Is(err, errOwned) {
		return nil, fault.As(fault.Unavailable, err, "The data directory %s cannot be written", path)
	}
	if err != nil {
		where := ""
		if at, err := readServer(path); err == nil {
			where = " at " + at.URL
		}
		return nil, fault.As(fault.Conflict, err, "Another server runs on the data directory %s%s. Stop it, or choose another directory with --data.", path, where)
	}
	d.lock = lock
	raw, err := os.ReadFile(d.file("id"))
	if errors.Is(err, fs.ErrNotExist) {
		raw = []byte(uuid.NewString()[:8])
		err = writeFile(d.file("id"), raw)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the name of the data directory: %w", err), d.close())
	}
	d.id = strings.TrimSpace(string(raw))
	return d, nil
}

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// close gives the directory back.
func (d *dataDir) close() error {
	_ = os.Remove(d.file("server.json"))
	_ = os.Remove(d.file("credential.json"))
	return d.lock.Close()
}

// serverFile says where a running server is. Runners of training jobs find a
// restarted server by it.
type serverFile struct {
	URL string `json:"url"`
	PID int    `json:"pid"`
}

// credentialFile lets commands on the same machine in.
type credentialFile struct {
	Server string `json:"server"`
	Token  string `json:"token"`
}

// announce writes where the server is and how commands on this machine get in.
func (d *dataDir) announce(address, token string) error {
	server, err := json.Marshal(serverFile{URL: address, PID: os.Getpid()})
	if err != nil {
		return err
	}
	credential, err := json.Marshal(credentialFile{Server: address, Token: token})
	if err != nil {
		return err
	}
	return errors.Join(writeFile(d.file("credential.json"), credential), writeFile(d.file("server.json"), server))
}

func readServer(path string) (serverFile, error) {
	var at serverFile
	raw, err := os.ReadFile(filepath.Join(path, "server.json"))
	if err == nil {
		err = json.Unmarshal(raw, &at)
	}
	return at, err
}

// writeFile replaces a file in one step, readable by its owner alone.
func writeFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
