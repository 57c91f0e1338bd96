// Where a picture, recording or video cannot be shown, its place says why: the
// server knows, and answers in the reader's language.

/** Sent from where an object stood, once the words stand there. */
export const FAULT = "adjudge:mediafault";

/** How soon an object is asked for again while its server does not answer, and at the latest, in milliseconds. */
const SOON = 2_000;
const LATEST = 60_000;

/**
 * Puts the server's words into the place of an object whose address is src. While
 * the server does not answer, what was known is said; where nothing was, the place
 * keeps the object's name, and it is asked for again. So it is where the source of
 * the object is away, and then words stand below until it comes.
 */
export async function explain(shown: HTMLElement, src: string, known?: string): Promise<void> {
  if (shown.dataset["explained"] !== undefined) return;
  shown.dataset["explained"] = "";
  let note: Element;
  try {
    const response = await fetch(`${src}/fault`, { headers: { Accept: "text/html", "HX-Request": "true" }, credentials: "same-origin", signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(String(response.status));
    const place = document.createElement("template");
    place.innerHTML = await response.text(); // written by our own server, user text escaped
    note = place.content.firstElementChild!;
    const says = note.getAttribute("data-known");
    if (known === undefined && says === "away") {
      if (!awayBelow(shown)) shown.after(note);
      return again(shown, src);
    }
    // It was right a moment ago: what went wrong may be over.
    if (known === undefined && says === "right" && shown.dataset["twice"] === undefined) {
      shown.dataset["twice"] = "";
      return again(shown, src);
    }
  } catch {
    if (known === undefined) return again(shown, src);
    note = document.createElement("p");
    note.className = "mediafault";
    note.textContent = known;
  }
  awayBelow(shown)?.remove();
  const parent = shown.parentElement;
  shown.replaceWith(note);
  parent?.dispatchEvent(new CustomEvent(FAULT, { bubbles: true }));
}

/** The words below an object whose source is away. */
function awayBelow(shown: HTMLElement): Element | undefined {
  const below = shown.nextElementSibling;
  return below?.getAttribute("data-known") === "away" ? below : undefined;
}

function again(shown: HTMLElement, src: string): void {
  const pause = Math.min(LATEST, 2 * Number(shown.dataset["pause"] ?? SOON / 2));
  shown.dataset["pause"] = String(pause);
  setTimeout(() => {
    delete shown.dataset["explained"];
    if (shown.isConnected) shown.setAttribute("src", src);
  }, pause);
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
  if (src) void explain(shown, src);
}, true);

// What came after all needs no words.
for (const kind of ["load", "loadedmetadata"]) {
  document.addEventListener(kind, (e) => {
    const shown = e.target;
    if (!(shown instanceof HTMLElement) || shown.dataset["media"] === undefined) return;
    delete shown.dataset["pause"];
    delete shown.dataset["twice"];
    awayBelow(shown)?.remove();
  }, true);
}

// A page may fail to load a picture before this runs.
function late(): void {
  for (const img of document.querySelectorAll<HTMLImageElement>("img[data-media]")) {
    if (img.complete && img.naturalWidth === 0 && img.getAttribute("src")) img.dispatchEvent(new Event("error"));
  }
}
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", late);
else late();
