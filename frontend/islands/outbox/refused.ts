// Shows the answers that the server refused, with its reason, until a person
// has decided about each.

import type { Outbox } from "./queue";

export function drawRefused(dialog: HTMLDialogElement, outbox: Outbox, texts: Record<string, string>): void {
  const list = dialog.querySelector<HTMLElement>("[data-refused]")!;
  const draw = (): void => {
    const parked = outbox.parked();
    if (parked.length === 0) return void (list.textContent = texts["parked.none"] ?? "");
    list.replaceChildren(
      ...parked.map((e) => {
        const li = document.createElement("li");
        li.className = "card";
        const quote = document.createElement("p");
        quote.dir = "auto";
        quote.textContent = `${e.text} → ${e.words}`;
        const why = document.createElement("p");
        why.className = "loss";
        why.textContent = e.parked ?? "";
        const row = document.createElement("div");
        row.className = "row";
        for (const [key, act] of [["parked.retry", () => outbox.retry(e.id)], ["parked.discard", () => outbox.discard(e.id)]] as const) {
          const button = document.createElement("button");
          button.type = "button";
          button.className = "button small";
          button.textContent = texts[key] ?? key;
          button.addEventListener("click", () => void act().then(draw));
          row.append(button);
        }
        li.append(quote, why, row);
        return li;
      }),
    );
  };
  draw();
}
