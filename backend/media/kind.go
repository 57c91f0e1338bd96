package media

import "net/http"

// shown are the kinds that a page shows, by what their first bytes say. What is
// not here is refused: above all SVG and HTML, which bring programs along.
var shown = map[string]string{
	"image/jpeg":      "image/jpeg",
	"image/png":       "image/png",
	"image/gif":       "image/gif",
	"image/webp":      "image/webp",
	"audio/wave":      "audio/wav",
	"audio/mpeg":      "audio/mpeg",
	"application/ogg": "audio/ogg",
	"video/mp4":       "video/mp4",
	"video/webm":      "video/webm",
}

// kindOf returns the media type that the first bytes of an object say, empty for
// one that is not shown. Its name is not asked.
func kindOf(head []byte) string {
	if len(head) > 2 && head[0] == 0xFF && head[1]&0xE6 == 0xE2 { // a frame of MPEG audio, layer III, without a tag before it
		return "audio/mpeg"
	}
	return shown[http.DetectContentType(head)]
}

// head keeps the first bytes of what is written to it.
type head struct{ b []byte }

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	if room := 512 - len(h.b); room > 0 {
		h.b = append(h.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}
