// Run by the desktop window on every page it has loaded (desktop.go): what a
// browser does with downloads, outside links, Find and notifications, and a
// webview does not.
(() => {
  if (window.adjudgeDesktop) return;

  const say = (text) => {
    // The frame's own line, which hides it again; a page without a frame has none.
    document.dispatchEvent(new CustomEvent("adjudge:status", { detail: { value: text } }));
    const line = document.getElementById("status");
    if (line && !document.querySelector("script[type=module]")) line.textContent = text;
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
    return answer.ok;
  };
  const native = (path, fields) => ask(path, fields).catch((err) => say(String(err)));

  // The window's own words, in the language of the page.
  const words = adjudgeWords[document.documentElement.lang] || adjudgeWords.en;
  const fill = (text, values) => text.replace(/\[(\w+)\]/g, (_, name) => values[name]);

  // What a form is answered with: the page fetches it, the window saves it.
  const saveAnswer = async (url, fields) => {
    const answer = await fetch(url, { method: "POST", body: new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])) });
    const name = /filename="?([^";]+)/.exec(answer.headers.get("Content-Disposition") || "");
    if (!answer.ok || !name) throw new Error(fill(words.refused, { status: answer.status }));
    await ask("/desktop/save", { name: name[1], text: await answer.text() });
  };

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
    if (!(form instanceof HTMLFormElement) || !form.hasAttribute("data-download")) return;
    event.preventDefault();
    event.stopPropagation();
    const url = new URL(form.action, location.href);
    const fields = new FormData(form, event.submitter);
    if (form.method !== "get") {
      saveAnswer(url, fields).catch((err) => say(err.message));
      return;
    }
    url.search = new URLSearchParams([...fields].map(([name, value]) => [name, String(value)])).toString();
    native("/desktop/save", { path: url.pathname + url.search });
  }, true);

  // Keyboards on which + needs Shift: the menu's own key is the one with it.
  window.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && (event.key === "=" || event.key === "+")) {
      event.preventDefault();
      native("/desktop/zoom", { step: "in" });
    } else if (event.key === "F5" && !event.ctrlKey && !event.altKey) {
      event.preventDefault();
      location.reload();
    }
  }, true);

  // Find in the page. A bar of its own in a shadow root, so that no style of the
  // page reaches it; matches are marked by the highlights of CSS, which change
  // nothing in the document.
  const style = `
    :host { all: initial; position: fixed; inset-block-start: 8px; inset-inline-end: 8px; z-index: 2147483647; color-scheme: light dark }
    :host([hidden]) { display: none }
    search { display: flex; gap: 6px; align-items: center; padding: 6px 8px; border: 1px solid #888; border-radius: 6px;
      background: Canvas; color: CanvasText; font: 14px/20px system-ui, sans-serif; box-shadow: 0 4px 16px rgb(0 0 0 / .25) }
    input, button { font: inherit; color: inherit; background: Field; border: 1px solid #888; border-radius: 4px; padding: 3px 8px }
    :focus-visible { outline: 2px solid Highlight; outline-offset: 1px }
    output { min-inline-size: 5.5em; text-align: end; font-variant-numeric: tabular-nums }`;
  const marks = "::highlight(adjudge-found) { background-color: #ffe27a; color: #000 } ::highlight(adjudge-here) { background-color: #ff9632; color: #000 }";
  const MOST = 2000; // ranges; a page with more is one for its own search
  let bar, input, count, found = [], at = -1, back;

  const build = () => {
    bar = document.createElement("div");
    const root = bar.attachShadow({ mode: "closed" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    root.adoptedStyleSheets = [sheet];
    const page = new CSSStyleSheet();
    page.replaceSync(marks);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, page];
    const search = document.createElement("search");
    input = document.createElement("input");
    input.setAttribute("aria-label", words.find);
    input.placeholder = words.find;
    input.spellcheck = false;
    count = document.createElement("output");
    count.setAttribute("aria-live", "polite");
    const button = (words, label, act) => {
      const b = document.createElement("button");
      b.type = "button";
      b.textContent = words;
      b.setAttribute("aria-label", label);
      b.title = label;
      b.addEventListener("click", act);
      return b;
    };
    search.append(input, count, button("↑", words.previous, () => next(-1)), button("↓", words.next, () => next(1)), button("✕", words.close, close));
    root.append(search);
    input.addEventListener("input", () => look());
    // The page's own keys must not hear what is typed here.
    for (const kind of ["keydown", "keyup", "keypress"]) root.addEventListener(kind, (event) => event.stopPropagation());
    root.addEventListener("keydown", (event) => {
      if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
  };

  const look = () => {
    found = [];
    at = -1;
    const wanted = input.value.toLocaleLowerCase();
    if (wanted) {
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, (node) =>
        node.parentElement && node.parentElement.checkVisibility({ visibilityProperty: true }) && !node.parentElement.closest("script, style")
          ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_REJECT);
      while (found.length < MOST && walker.nextNode()) {
        const text = walker.currentNode.data;
        const lower = text.toLocaleLowerCase();
        if (lower.length !== text.length) continue; // letters that change their length: offsets would be wrong
        for (let i = lower.indexOf(wanted); i >= 0 && found.length < MOST; i = lower.indexOf(wanted, i + wanted.length)) {
          const range = document.createRange();
          range.setStart(walker.currentNode, i);
          range.setEnd(walker.currentNode, i + wanted.length);
          found.push(range);
        }
      }
    }
    show();
    if (found.length) next(1);
  };

  const show = () => {
    if (window.CSS && CSS.highlights) {
      CSS.highlights.set("adjudge-found", new Highlight(...found));
      const here = new Highlight(...(found[at] ? [found[at]] : []));
      here.priority = 1;
      CSS.highlights.set("adjudge-here", here);
    }
    count.textContent = !input.value ? "" : found.length ? fill(words.at, { at: at + 1, n: `${found.length}${found.length === MOST ? "+" : ""}` }) : words.none;
  };

  const next = (step) => {
    if (!bar || bar.hidden) return find();
    if (!found.length) return;
    at = (at + step + found.length) % found.length;
    const here = found[at].startContainer.parentElement;
    if (here) here.scrollIntoView({ block: "center", inline: "nearest" });
    show();
  };

  const close = () => {
    bar.hidden = true;
    bar.remove();
    found = [];
    if (window.CSS && CSS.highlights) for (const name of ["adjudge-found", "adjudge-here"]) CSS.highlights.delete(name);
    if (back && back.isConnected) back.focus();
  };

  const find = () => {
    if (!bar) build();
    if (document.activeElement !== bar) back = document.activeElement;
    // A modal dialog lies over everything that is not in it.
    ([...document.querySelectorAll("dialog:modal")].pop() || document.documentElement).append(bar);
    bar.hidden = false;
    input.focus();
    input.select();
    if (input.value) look();
  };

  // Notifications: what the server lists now and did not when the window looked
  // before. The choice and the last look are kept on this computer, by person.
  const root = document.documentElement;
  const person = root.dataset.person;
  const base = root.dataset.base || "";
  const kept = (name) => `adjudge.${name}.${person}`;
  const wanted = () => localStorage.getItem(kept("notices")) !== "off";
  let looked = 0, looking;

  const glance = async () => {
    looked = Date.now();
    const answer = await fetch(`${base}/notices`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return answer.status !== 404; // an older server has none
    const { items } = await answer.json();
    const before = JSON.parse(localStorage.getItem(kept("noticed")) || "null");
    localStorage.setItem(kept("noticed"), JSON.stringify(items.map((n) => n.id)));
    if (!before || !wanted() || root.dataset.locked !== undefined) return true; // the first look tells of nothing
    for (const n of items.filter((n) => !before.includes(n.id) && n.href !== location.pathname).slice(0, 3)) {
      await fetch("/desktop/notify", { method: "POST", body: new URLSearchParams({ title: n.title, text: n.text, href: base + n.href }) });
    }
    return true;
  };
  const watch = () => glance().catch(() => true).then((more) => {
    if (more) looking = setTimeout(watch, 60_000);
  });
  if (person) {
    watch();
    document.addEventListener("adjudge:live", () => {
      if (Date.now() - looked < 5_000) return;
      clearTimeout(looking);
      watch();
    });
    const choice = document.querySelector("[data-notices]");
    if (choice) {
      const box = choice.querySelector("input");
      choice.hidden = false;
      box.checked = wanted();
      box.addEventListener("change", () => {
        localStorage.setItem(kept("notices"), box.checked ? "on" : "off");
        // The first one asks the system's permission, and says why there is none.
        if (box.checked) native("/desktop/notify", { title: "Adjudge", text: choice.dataset.try, href: base + "/account/data" });
      });
    }
  }

  window.adjudgeDesktop = { say, find, findNext: next };
  document.documentElement.dataset.window = "";
  document.dispatchEvent(new CustomEvent("adjudge:window"));
})();
