//go:build e2e

package app

import (
	"bytes"
	"fmt"
	raster "image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/adjudge/adjudge/backend/ledger"
	"github.com/adjudge/adjudge/labeling"
)

// picture draws a PNG in one color.
func picture(t *testing.T, c color.Color) []byte {
	t.Helper()
	m := raster.NewRGBA(raster.Rect(0, 0, 320, 200))
	for x := range 320 {
		for y := range 200 {
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A picture is seen; changed behind the server's back it is not, words say so, and
// the keyboard passes the item on.
func TestAChangedPictureIsSeenAsAFault(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, content []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	red := picture(t, color.RGBA{200, 40, 40, 255})
	s := startSiteWith(t, seedItems(3, func(_ *labeling.Project, items []labeling.Item) {
		for n := range items {
			name := fmt.Sprintf("%d.png", n)
			items[n].Media = &labeling.Media{URI: "media://pics/" + name, Digest: ledger.DigestOf(red), Bytes: int64(len(red)), Type: "image/png"}
			if n == 2 {
				items[n].Media.URI = "media://away/" + name
			}
			items[n].Text = ""
			write(name, red)
		}
	}), "--media", "pics="+dir)
	ana := s.firstAdmin("Ana")
	const seen = `document.querySelector(".label-card:not([hidden]) img.media")?.naturalWidth === 320`
	ana.label("")
	ana.wait(seen)
	ana.looks("label-picture")
	// A part is sent as asked for, under the digest, and as nothing but a picture.
	ask[bool](ana, `(() => { fetch("/projects/news/items/0190bbbb-0000-7000-8000-000000000001/media", {headers: {Range: "bytes=1-3"}}).then(async (r) => {
		window.part = [r.status, await r.text(), ...["content-type", "etag", "x-content-type-options", "cache-control", "content-security-policy"].map((h) => r.headers.get(h))].join("|"); }); return true; })()`)
	ana.wait(`window.part !== undefined`)
	want := `206|PNG|image/png|"` + ledger.DigestOf(red).Hex() + `"|nosniff|private, no-cache|default-src 'none'; sandbox; frame-ancestors 'none'`
	if got := ask[string](ana, `window.part`); got != want {
		t.Errorf("a part comes as\n%s\nwant\n%s", got, want)
	}
	// A connection that is lost says nothing about the picture: it can still be
	// judged, and comes by itself.
	ana.forgive("ERR_INTERNET_DISCONNECTED")
	ana.network(0, true)
	ask[bool](ana, `(() => { const img = document.querySelector(".label-card:not([hidden]) img.media"); img.src = img.getAttribute("src"); return true; })()`)
	ana.wait(`document.querySelector(".label-card:not([hidden]) img.media")?.dataset.pause !== undefined`)
	if !ask[bool](ana, `document.querySelector(".label-card:not([hidden]) [role=radio], .label-card:not([hidden]) input[type=radio]") !== null`) {
		t.Error("a lost connection took the answers away")
	}
	ana.network(0, false)
	ana.wait(seen)
	write("0.png", picture(t, color.RGBA{40, 40, 200, 255}))
	ana.forgive("409")
	ana.forgive("media")
	ana.label("")
	ana.wait(`document.querySelector(".label-card:not([hidden]) .mediafault")?.innerText.includes("is not the one that was imported (digest ` + ledger.DigestOf(red).Hex()[:8] + `…")`)
	ana.wait(`document.activeElement.innerText === "Pass it on"`)
	ana.looks("label-picture-changed")
	ana.ready()
	ana.press("1")
	ana.said("There is nothing to judge here")
	ana.press("Enter")
	ana.wait(seen)
	ana.allSaved()
	s.until("the item is passed on", func() bool { return len(s.annotations(t)) == 1 })
	for _, a := range s.annotations(t) {
		if a.Kind != labeling.KindSkip || a.Reason == "" {
			t.Errorf("what was kept is %+v", a)
		}
	}
	// Of a picture whose source is away nothing is known: that is said, and it is
	// asked for again; what it needs to be judged is not taken away.
	ana.forgive("503")
	ana.open("/projects/news/items/0190bbbb-0000-7000-8000-000000000003")
	ana.wait(`document.querySelector("img.media + .mediafault")?.innerText.includes("cannot be read right now")`)
	ana.looks("item-picture-away")
	ana.wait(`Number(document.querySelector("img.media").dataset.pause) > 2000 && document.querySelectorAll(".mediafault").length === 1`)
	ask[bool](ana, `(() => { document.querySelector("img.media").src = "/projects/news/items/0190bbbb-0000-7000-8000-000000000002/media"; return true; })()`)
	ana.wait(`!document.querySelector(".mediafault") && document.querySelector("img.media").naturalWidth === 320`)
	ana.open("/projects/news/items")
	ana.wait(`document.querySelector(".itemlist img.thumb")?.naturalWidth === 320 && document.querySelector(".itemlist .withthumb .badge")?.innerText.includes("changed")`)
	ana.looks("items-pictures")
}

// What is wrong with the pictures of a dataset is listed on a page; a picture is
// seen where it is decided about, in the drawer, and its column in the preview of
// an import.
func TestPicturesAreSeenWhereverTheirItemsAre(t *testing.T) {
	t.Parallel()
	script := checker(t)
	dir := t.TempDir()
	red, blue := picture(t, color.RGBA{200, 40, 40, 255}), picture(t, color.RGBA{40, 40, 200, 255})
	s := startSiteWith(t, seedItems(4, func(_ *labeling.Project, items []labeling.Item) {
		for n := range items {
			name := fmt.Sprintf("scans of the long winter/%d.png", n)
			items[n].Media = &labeling.Media{URI: "media://pics/" + name, Digest: ledger.DigestOf(red), Bytes: int64(len(red)), Type: "image/png"}
			items[n].Text = ""
			items[n].Status = labeling.StatusDisputed
		}
	}), "--media", "pics="+dir)
	if err := os.Mkdir(filepath.Join(dir, "scans of the long winter"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"0": red, "1": blue, "3": red} { // 2 is gone
		if err := os.WriteFile(filepath.Join(dir, "scans of the long winter", name+".png"), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ana := s.firstAdmin("Ana")
	ana.open("/projects/news/datasets/train/media")
	ana.click("button", "Check all now")
	ana.wait(`document.querySelectorAll("#media-report tbody tr").length === 2 && !document.querySelector("#media-report[hx-get]")`)
	ana.wait(`[...document.querySelectorAll("#media-report button")].some((b) => b.innerText.includes("Check all now"))`)
	ana.accessible(script, "media")
	ana.looks("media-faults")
	ana.open("/projects/news/disputes")
	ana.wait(`document.querySelector("img.media")?.naturalWidth === 320`)
	ana.accessible(script, "adjudicate")
	ana.looks("adjudicate-picture")
	ana.open("/projects/news/items")
	ana.wait(`document.querySelector(".itemlist img.thumb")?.naturalWidth === 320`)
	ask[bool](ana, `(() => { document.querySelector('.itemlist a[data-dialog="item-drawer"]').click(); return true; })()`)
	ana.wait(`document.querySelector("#item-body img.media")?.naturalWidth === 320`)
	ana.looks("drawer-picture")
	file := filepath.Join(dir, "new.csv")
	if err := os.WriteFile(file, []byte("image,caption,label\npics/scans of the long winter/0.png,in the snow,Sport\npics/scans of the long winter/3.png,,Culture\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ana.open("/projects/news/import")
	ana.upload("#file", file)
	ana.wait(`location.pathname.includes("/imports/") && document.querySelector("#import-form")`)
	ana.accessible(script, "preview")
	ana.looks("import-media")
}
