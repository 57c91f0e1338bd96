//go:build e2e

package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// size sets the size of the window.
func (v *visitor) size(width, height int64) {
	v.t.Helper()
	v.do("resize", chromedp.EmulateViewport(width, height))
}

// ownClock gives the pages that are opened from now on a clock that the test sets
// ahead, in milliseconds, by window.later.
func (v *visitor) ownClock() {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
		Source: `{ const real = performance.now.bind(performance); window.later = 0; performance.now = () => real() + window.later; }`}); err != nil {
		v.t.Fatal(err)
	}
}

// theme sets the preferred colour scheme, "light" or "dark".
func (v *visitor) theme(scheme string) {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		// Without motion, so that no picture is taken in the middle of one.
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		v.t.Fatal(err)
	}
}

// network makes the network slow or takes it away; (0, false) is normal.
func (v *visitor) network(latency time.Duration, offline bool) {
	v.t.Helper()
	if _, err := chromedp.Call(v.ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Latency: float64(latency.Milliseconds()), DownloadThroughput: -1, UploadThroughput: -1, Offline: offline}}}); err != nil {
		v.t.Fatal(err)
	}
}

// screenshot writes what is seen to <name>.png in the folder that
// ADJUDGE_TEST_SHOTS names; without it nothing is written.
func (v *visitor) screenshot(name string) {
	v.t.Helper()
	folder := os.Getenv("ADJUDGE_TEST_SHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(v.ctx, patience)
	defer cancel()
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{})
	if err != nil {
		v.t.Logf("screenshot: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), shot.Data, 0o600); err != nil {
		v.t.Log(err)
	}
}

// looks takes screenshots of the page at three widths in both themes.
func (v *visitor) looks(name string) {
	v.t.Helper()
	if os.Getenv("ADJUDGE_TEST_SHOTS") == "" {
		return
	}
	for _, width := range []int64{1440, 1024, 390} {
		v.size(width, map[int64]int64{1440: 900, 1024: 768, 390: 844}[width])
		for _, scheme := range []string{"light", "dark"} {
			v.theme(scheme)
			v.screenshot(fmt.Sprintf("%s-%d-%s", name, width, scheme))
		}
	}
	v.size(1440, 900)
	v.theme("light")
}
