// Only in the bundle of `make dev`: when the server went away and is back, it
// is a new one, and the page is loaded from it again.
let gone = false;
setInterval(async () => {
  try {
    await fetch("/healthz", { cache: "no-store" });
    if (gone) location.reload();
  } catch {
    gone = true;
  }
}, 300);
