package runner

import (
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/adjudge/adjudge/backend/training"
)

func TestALogKeepsItsHeadAndItsEndAndSaysWhatItLeftOut(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log.txt")
	log, err := openLog(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = log.Write([]byte("0123456789"))
	_, _ = log.Write([]byte(strings.Repeat("x", tailKept)))
	_, _ = log.Write([]byte("the end"))
	size, crc := log.close()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if !strings.HasPrefix(text, "0123456789\n[7 bytes of the log were left out here]\n") || !strings.HasSuffix(text, "xthe end") {
		t.Errorf("the log begins %.80q and ends %q", text, text[max(0, len(text)-20):])
	}
	if size != int64(len(raw)) || crc != crc32.ChecksumIEEE(raw) {
		t.Errorf("size %d and checksum %x of %d bytes with %x", size, crc, len(raw), crc32.ChecksumIEEE(raw))
	}
	if n, sum := sumLog(path); n != size || sum != crc {
		t.Errorf("read again: %d, %x", n, sum)
	}
}

func TestAProgressBarIsManyLinesAndNotOne(t *testing.T) {
	t.Parallel()
	log, err := openLog(filepath.Join(t.TempDir(), "log.txt"), 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"10%\r20%\r", "30%\r", "\ndone\r\n", "plain\n"} {
		_, _ = log.Write([]byte(piece))
	}
	name := log.file.Name()
	log.close()
	if raw, _ := os.ReadFile(name); string(raw) != "10%\n20%\n30%\ndone\nplain\n" {
		t.Errorf("the log is %q", raw)
	}
}

func TestANameFromOutsideStaysInItsFolder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"../x", "/etc/passwd", "a/../../b", "", "a\x00b"} {
		if path, err := within("/job", name); err == nil {
			t.Errorf("%q leads to %s", name, path)
		}
	}
	if path, err := within("/job", "sub/file"); err != nil || path != filepath.FromSlash("/job/sub/file") {
		t.Errorf("%s, %v", path, err)
	}
}

func TestATrainerSeesTheContractAndNothingOfTheServer(t *testing.T) {
	t.Setenv("ADJUDGE_DATABASE", "secret")
	t.Setenv("SM_MODEL_DIR", "/elsewhere")
	env := append(inherited(), variables("/job", training.Ticket{Fence: 5, Token: "t"}, "http://here", training.Spec{
		Job: training.JobFile{Attempt: 2, Seed: 9, Resume: true}, Params: []byte(`{"a":1}`), Inputs: []training.Input{{Name: "my-data"}}, Traceparent: "00-ab-cd-01"})...)
	got := map[string]string{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		got[name] = value
	}
	for name, want := range map[string]string{
		"ADJUDGE_JOB_DIR": "/job", "ADJUDGE_FENCE": "5", "ADJUDGE_ATTEMPT": "2", "ADJUDGE_RESUME": "1", "ADJUDGE_SEED": "9", "PYTHONHASHSEED": "9",
		"ADJUDGE_API_URL": "http://here", "ADJUDGE_TOKEN": "t", "SM_HPS": `{"a":1}`, "SM_CHANNEL_MY_DATA": "/job/input/my-data", "SM_MODEL_DIR": "/job/output/model",
		"ADJUDGE_DATABASE": "", "TRACEPARENT": "00-ab-cd-01",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}
