// <class-order>: moves the rows of the schema's classes up and down at once.
// Without it the same buttons ask the server for the form in the new order.
import { target } from "./place";

class ClassOrder extends HTMLElement {
  connectedCallback(): void {
    this.addEventListener("click", (e) => {
      const button = (e.target as Element).closest<HTMLElement>("[data-move]");
      const row = button?.closest("tr");
      if (!button || !row) return;
      e.preventDefault();
      this.move(row, Number(button.dataset["move"]), button);
    });
  }

  private move(row: HTMLTableRowElement, by: number, button: HTMLElement): void {
    const rows = [...this.querySelectorAll<HTMLTableRowElement>("tbody tr")];
    const names = rows.map((r) => r.querySelector<HTMLInputElement>('[name="class.name"]')?.value.trim() ?? "");
    const from = rows.indexOf(row);
    const to = target(names, from, by);
    if (to === from) return;
    if (to < from) rows[to]!.before(row);
    else rows[to]!.after(row);
    button.focus(); // a row that moves loses it
    const named = names.filter((name) => name !== "").length;
    const place = names.slice(0, to + 1).filter((name) => name !== "").length;
    const words = (this.dataset["moved"] ?? "").replace("{n}", String(place)).replace("{of}", String(named)).replace("{name}", names[from]!);
    document.dispatchEvent(new CustomEvent("adjudge:status", { detail: words }));
  }
}

customElements.define("class-order", ClassOrder);
