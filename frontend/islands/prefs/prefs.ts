// Sets theme and text size of this person before the first paint. It is loaded
// as a plain, blocking script in the head, so it imports nothing.
{
  const root = document.documentElement;
  try {
    const text = localStorage.getItem("adjudge.prefs." + (root.dataset.person ?? ""));
    const prefs = text ? (JSON.parse(text) as { theme?: string; size?: string }) : {};
    if (prefs.theme) root.dataset.theme = prefs.theme;
    if (prefs.size) root.dataset.size = prefs.size;
  } catch {
    // No storage, or not ours: the defaults hold.
  }
}
