// Where a picture, recording or video cannot be shown, its place says why: the
// server knows, and answers in the reader's language.

/** Sent from where an object stood, once the words stand there. */
export const FAULT = "adjudge:mediafault";

/** Puts the server's words into the place of an object whose address is src. */
export async function explain(shown: HTMLElement, src: string, fallback: string): Promise<void> {
  if (shown.dataset["explained"] !== undefined) return;
  shown.dataset["explained"] = "";
  let note: Element;
  try {
    const response = await fetch(`${src}/fault`, { headers: { Accept: "text/html", "HX-Request": "true" }, credentials: "same-origin", signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(String(response.status));
    const place = document.createElement("template");
    place.innerHTML = await response.text(); // written by our own server, user text escaped
    note = place.content.firstElementChild!;
  } catch {
    note = document.createElement("p");
    note.className = "mediafault";
    note.textContent = fallback;
  }
  const parent = shown.parentElement;
  shown.replaceWith(note);
  parent?.dispatchEvent(new CustomEvent(FAULT, { bubbles: true }));
}

// Errors of pictures do not bubble, so they are caught on their way down.
document.addEventListener("error", (e) => {
  const shown = e.target;
  if (!(shown instanceof HTMLElement) || shown.dataset["media"] === undefined) return;
  if (shown.dataset["media"] === "short") {
    shown.replaceWith(document.createTextNode("⚠")); // in a row; the item's own page has room for words
    return;
  }
  const src = shown.getAttribute("src");
  if (src) void explain(shown, src, shown.getAttribute("alt") ?? shown.getAttribute("aria-label") ?? "");
}, true);

// A page may fail to load a picture before this runs.
function late(): void {
  for (const img of document.querySelectorAll<HTMLImageElement>("img[data-media]")) {
    if (img.complete && img.naturalWidth === 0 && img.getAttribute("src")) img.dispatchEvent(new Event("error"));
  }
}
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", late);
else late();
