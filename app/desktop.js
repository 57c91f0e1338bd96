// Run by the desktop window on every page it has loaded (desktop.go): what a
// browser does with downloads and outside links, and a webview does not.
(() => {
  if (window.adjudgeDesktop) return;
  window.adjudgeDesktop = true;

  const say = (text) => {
    const line = document.getElementById("status");
    if (line) line.textContent = text;
  };

  const ask = async (path, fields) => {
    const answer = await fetch(path, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(fields),
    });
    const body = answer.status === 204 ? {} : await answer.json();
    const text = body.message || body.detail;
    if (text) say(text);
  };
  const native = (path, fields) => ask(path, fields).catch((err) => say(String(err)));

  // Before the page's own listeners: none of them can do anything with these.
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[href]");
    if (!link || event.defaultPrevented || event.button !== 0) return;
    const url = new URL(link.href, location.href);
    if (url.origin !== location.origin) {
      event.preventDefault();
      event.stopPropagation();
      native("/desktop/open", { url: url.href });
    } else if (link.hasAttribute("download")) {
      event.preventDefault();
      event.stopPropagation();
      native("/desktop/save", { path: url.pathname + url.search });
    } else if (link.target && link.target !== "_self") {
      event.preventDefault(); // there is one window
      location.assign(url.href);
    }
  }, true);

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-download") || form.method !== "get") return;
    event.preventDefault();
    event.stopPropagation();
    const url = new URL(form.action, location.href);
    const fields = new FormData(form, event.submitter);
    url.search = new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])).toString();
    native("/desktop/save", { path: url.pathname + url.search });
  }, true);
})();
