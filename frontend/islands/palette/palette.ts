// The command palette: a dialog with a search field over a list that the
// server gives for this person and project. Focus stays in the field; the list
// follows aria-activedescendant.
import { show } from "../shell/unseen";
import { at, here } from "../outbox/base";
import { match, type Entry } from "./match";

const dialog = document.getElementById("palette");
if (dialog instanceof HTMLDialogElement) start(dialog);

function start(dialog: HTMLDialogElement): void {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector<HTMLUListElement>("[role=listbox]");
  const none = dialog.querySelector<HTMLElement>(".none");
  const failed = dialog.querySelector<HTMLElement>(".failed");
  if (!input || !list || !none || !failed) return;

  let entries: Entry[] = [];
  let shown: Entry[] = [];
  let current = 0;

  dialog.addEventListener("adjudge:open", () => {
    input.value = "";
    input.focus();
    draw();
    void load();
  });
  input.addEventListener("input", () => {
    current = 0;
    draw();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    switch (event.key) {
      case "ArrowDown":
        move(1);
        break;
      case "ArrowUp":
        move(-1);
        break;
      case "Home":
        if (input.value) return;
        move(-current);
        break;
      case "Enter":
        go(current);
        break;
      default:
        return;
    }
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const option = event.target instanceof Element ? event.target.closest<HTMLElement>("[role=option]") : null;
    if (option) go(Number(option.dataset.index));
  });

  async function load(): Promise<void> {
    try {
      const answer = await fetch(dialog.dataset.src ?? "", { headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const body = (await answer.json()) as { items: Entry[] };
      entries = body.items;
      failed!.hidden = true;
    } catch {
      failed!.hidden = entries.length > 0;
    }
    draw();
  }

  function draw(): void {
    shown = match(entries, input!.value).slice(0, 50);
    current = Math.min(current, Math.max(0, shown.length - 1));
    list!.replaceChildren(...shown.map(option));
    none!.hidden = shown.length > 0 || !input!.value || entries.length === 0;
    mark();
  }

  function option(entry: Entry, index: number): HTMLLIElement {
    const li = document.createElement("li");
    li.id = `palette-${index}`;
    li.setAttribute("role", "option");
    li.dataset.index = String(index);
    const title = document.createElement("span");
    title.dir = "auto";
    show(title, entry.title);
    li.append(title);
    if (entry.where) {
      const where = document.createElement("span");
      where.className = "where truncate";
      where.dir = "auto";
      show(where, entry.where);
      li.append(where);
    }
    return li;
  }

  function mark(): void {
    for (const li of list!.children) li.setAttribute("aria-selected", String(Number((li as HTMLElement).dataset.index) === current));
    const active = list!.children[current];
    if (active) {
      input!.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    } else input!.removeAttribute("aria-activedescendant");
  }

  function move(by: number): void {
    if (shown.length === 0) return;
    current = (current + by + shown.length) % shown.length;
    mark();
  }

  function go(index: number): void {
    const entry = shown[index];
    // Only addresses of this server: the list names no other.
    if (!entry?.href.startsWith("/") || entry.href.startsWith("//")) return;
    dialog.close();
    if (entry.href === here()) {
      document.getElementById("main")?.focus();
      return;
    }
    location.assign(at(entry.href));
  }
}
