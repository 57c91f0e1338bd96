// The walk through the items of a comparison: J and K move from item to item
// and leave the panels and their filters as they are. Without scripts the list
// is a list, and Tab moves through its links.
import { isTyping } from "../shell/typing";
import { step } from "./step";

function items(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(".compared-item")];
}

function go(by: number): void {
  const all = items();
  const at = all.findIndex((item) => item.contains(document.activeElement));
  const next = step(at, by, all.length);
  if (next < 0) {
    // Past the end of this page is the next one, where there is one.
    const link = document.querySelector<HTMLAnchorElement>(by > 0 ? ".compared .pager a[rel=next]" : ".compared .pager a[rel=prev]");
    link?.click();
    return;
  }
  const item = all[next];
  if (!item) return;
  item.focus({ preventScroll: true });
  item.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (key !== "j" && key !== "k") return;
  event.preventDefault();
  go(key === "j" ? 1 : -1);
});
