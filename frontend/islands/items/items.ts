// <adjudge-items> around the list of items: choosing rows and the bar of
// actions, filters that apply at once, and the keys of the page. The list works
// as plain HTML without it.
import { isTyping } from "../shell/typing";
import { move } from "./rows";

class Items extends HTMLElement {
  private last = -1;
  private current = ""; // the item that the keys are at

  connectedCallback(): void {
    this.addEventListener("change", (event) => {
      const target = event.target;
      if (!(target instanceof HTMLElement)) return;
      if (target.matches("select[data-submit]")) (target as HTMLSelectElement).form?.requestSubmit();
      if (target.matches("input.all")) this.chooseAll((target as HTMLInputElement).checked);
      if (target.matches("input[type=checkbox]")) this.count();
    });
    this.addEventListener("click", (event) => {
      const box = (event.target as Element).closest?.<HTMLInputElement>("input[name=item]");
      if (!box) return;
      const boxes = this.boxes();
      const at = boxes.indexOf(box);
      if (event.shiftKey && this.last >= 0) {
        for (let i = Math.min(at, this.last); i <= Math.max(at, this.last); i++) boxes[i]!.checked = box.checked;
      }
      this.last = at;
      this.count();
    });
    document.addEventListener("keydown", this.key);
    this.count();
  }

  disconnectedCallback(): void {
    document.removeEventListener("keydown", this.key);
  }

  private boxes(): HTMLInputElement[] {
    return [...this.querySelectorAll<HTMLInputElement>("input[name=item]")];
  }

  private rows(): HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>("tr[data-item]")];
  }

  private chooseAll(on: boolean): void {
    for (const box of this.boxes()) box.checked = on;
  }

  private count(): void {
    const boxes = this.boxes();
    const n = boxes.filter((box) => box.checked).length;
    const all = this.querySelector<HTMLInputElement>("input.all");
    if (all) {
      all.checked = n > 0 && n === boxes.length;
      all.indeterminate = n > 0 && n < boxes.length;
    }
    const bar = this.querySelector<HTMLElement>(".actionbar");
    const words = bar?.querySelector<HTMLElement>(".chosen");
    bar?.classList.toggle("on", n > 0);
    if (words && n > 0) words.textContent = (this.dataset.chosen ?? "").replace("{n}", String(n));
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const rows = this.rows();
    // Live news may have replaced the rows; the focus has stayed with its item.
    const focused = rows.findIndex((row) => row.contains(document.activeElement));
    const at = focused >= 0 ? focused : rows.findIndex((row) => row.dataset.item === this.current);
    switch (event.key.toLowerCase()) {
      case "/":
        event.preventDefault();
        this.querySelector<HTMLInputElement>("input[type=search]")?.focus();
        return;
      case "j":
      case "k": {
        const next = move(at, rows.length, event.key.toLowerCase() === "j" ? 1 : -1);
        if (next < 0) return;
        for (const row of rows) row.removeAttribute("data-current");
        rows[next]!.dataset.current = "";
        this.current = rows[next]!.dataset.item ?? "";
        rows[next]!.querySelector<HTMLElement>("a")?.focus();
        return;
      }
      case "x": {
        const box = rows[at]?.querySelector<HTMLInputElement>("input[name=item]");
        if (!box) return;
        box.checked = !box.checked;
        this.count();
        return;
      }
    }
  };
}

if (typeof customElements !== "undefined") customElements.define("adjudge-items", Items);
