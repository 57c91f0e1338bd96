// Command icon draws Adjudge's icon, so that it can be changed as text: a
// balance whose two pans are two answers, one of them marked as the better.
// It writes build/appicon.png (Wails, Linux) and build/windows/icon.ico, which
// are committed.
//
// Run it from the repository's root: go run ./build/icon
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
)

// The icon is drawn in a square of 64 units: shapes, later ones over earlier.
type shape struct {
	ink    color.NRGBA
	inside func(x, y float64) bool
}

var (
	ground = color.NRGBA{0x0b, 0x5d, 0x66, 0xff} // the accent colour of the pages
	light  = color.NRGBA{0xff, 0xff, 0xff, 0xff}
	gain   = color.NRGBA{0xf2, 0xb1, 0x34, 0xff}
)

func shapes() []shape {
	return []shape{
		rounded(0, 0, 64, 64, 14, ground),
		rounded(30.5, 14, 33.5, 50, 1.5, light), // the post
		rounded(20, 48, 44, 52, 2, light),       // the foot
		beam(12, 24, 52, 16, 3.2, light),        // the beam, tilted towards the better answer
		rounded(5, 27, 23, 38, 3, gain),
		rounded(41, 19, 59, 30, 3, light),
		tick(9.5, 32.5, 12.8, 35.2, 18.5, 29.8, 2.0, ground),
	}
}

func rounded(x0, y0, x1, y1, r float64, ink color.NRGBA) shape {
	return shape{ink, func(x, y float64) bool {
		dx := math.Max(math.Max(x0+r-x, x-(x1-r)), 0)
		dy := math.Max(math.Max(y0+r-y, y-(y1-r)), 0)
		return dx*dx+dy*dy <= r*r
	}}
}

func beam(x0, y0, x1, y1, width float64, ink color.NRGBA) shape {
	return shape{ink, func(x, y float64) bool { return fromLine(x, y, x0, y0, x1, y1) <= width/2 }}
}

func tick(x0, y0, x1, y1, x2, y2, width float64, ink color.NRGBA) shape {
	return shape{ink, func(x, y float64) bool {
		return math.Min(fromLine(x, y, x0, y0, x1, y1), fromLine(x, y, x1, y1, x2, y2)) <= width/2
	}}
}

func fromLine(x, y, x0, y0, x1, y1 float64) float64 {
	dx, dy := x1-x0, y1-y0
	t := math.Max(0, math.Min(1, ((x-x0)*dx+(y-y0)*dy)/(dx*dx+dy*dy)))
	return math.Hypot(x-x0-t*dx, y-y0-t*dy)
}

func main() {
	if err := draw(); err != nil {
		fmt.Fprintln(os.Stderr, "icon:", err)
		os.Exit(1)
	}
}

func draw() error {
	big, err := picture(512)
	if err != nil {
		return err
	}
	if err := os.WriteFile("build/appicon.png", big, 0o644); err != nil {
		return err
	}
	icon, err := ico(16, 32, 48, 256)
	if err != nil {
		return err
	}
	return os.WriteFile("build/windows/icon.ico", icon, 0o644)
}

// picture rasters the shapes, each pixel the mean of sixteen samples.
func picture(size int) ([]byte, error) {
	const fine = 4
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	unit := 64 / float64(size*fine)
	all := shapes()
	for py := range size {
		for px := range size {
			var r, g, b, a int
			for s := range fine * fine {
				x := (float64(px*fine+s%fine) + 0.5) * unit
				y := (float64(py*fine+s/fine) + 0.5) * unit
				for i := len(all) - 1; i >= 0; i-- {
					if all[i].inside(x, y) {
						r, g, b, a = r+int(all[i].ink.R), g+int(all[i].ink.G), b+int(all[i].ink.B), a+1
						break
					}
				}
			}
			if a > 0 {
				img.SetNRGBA(px, py, color.NRGBA{uint8(r / a), uint8(g / a), uint8(b / a), uint8(a * 255 / (fine * fine))})
			}
		}
	}
	var out bytes.Buffer
	err := png.Encode(&out, img)
	return out.Bytes(), err
}

// ico packs pictures of several sizes into Windows' icon format, as PNG.
func ico(sizes ...int) ([]byte, error) {
	var head, body bytes.Buffer
	write := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&head, binary.LittleEndian, v) // memory does not fail
		}
	}
	write(uint16(0), uint16(1), uint16(len(sizes)))
	offset := 6 + 16*len(sizes)
	for _, size := range sizes {
		img, err := picture(size)
		if err != nil {
			return nil, err
		}
		// 256 is written as 0.
		write(uint8(size), uint8(size), uint8(0), uint8(0), uint16(1), uint16(32), uint32(len(img)), uint32(offset))
		offset += len(img)
		body.Write(img)
	}
	return append(head.Bytes(), body.Bytes()...), nil
}
