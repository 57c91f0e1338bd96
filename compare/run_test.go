package compare_test

import (
	"testing"

	"github.com/adjudge/adjudge/compare"
)

// Runs and metrics are named by programs, and printed on terminals and into logs.
func TestNamesOfRunsAndMetricsAreNoCommands(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"a\x1b[2K", "a\nb", "a\u202eb", "a\u009bb"} {
		if err := (compare.Run{Kind: compare.RunTraining, Name: name}).Validate(); err == nil {
			t.Errorf("a run is named %q", name)
		}
		if err := (compare.Point{Name: name}).Validate(); err == nil {
			t.Errorf("a metric is named %q", name)
		}
		if err := (compare.Point{Name: "loss", Split: name}).Validate(); err == nil {
			t.Errorf("a split is named %q", name)
		}
	}
	if err := (compare.Run{Kind: compare.RunTraining, Name: "größer, 日本"}).Validate(); err != nil {
		t.Error(err)
	}
	if err := (compare.Point{Name: "val/loss", Split: "train"}).Validate(); err != nil {
		t.Error(err)
	}
}
