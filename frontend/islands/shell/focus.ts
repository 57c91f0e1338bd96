// Whoever works by keyboard stays where they are when a part of the page is
// replaced, be it by htmx, by live news or by an island: the same thing in the
// new part gets the focus, or what stands in its place. Without this the focus
// falls back to the top of the document.
import { again, type Mark } from "./again";

const focusable = "a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select:not([disabled]), textarea:not([disabled]), summary, [tabindex]";

let held: Element | null = null;

function mark(e: Element): Mark {
  const name = e.getAttribute("name") ?? "";
  return {
    tag: e.tagName,
    id: e.id,
    name: name && `${name}=${e.matches("[type=radio], [type=checkbox], button") ? (e.getAttribute("value") ?? "") : ""}`,
    words: (e.getAttribute("aria-label") ?? e.textContent ?? "").replace(/\s+/g, " ").trim(),
    href: e.getAttribute("href") ?? "",
  };
}

function within(root: Element): Element[] {
  const found = [...root.querySelectorAll(focusable)];
  return root.matches(focusable) ? [root, ...found] : found;
}

function elements(nodes: NodeList): Element[] {
  return [...nodes].filter((n): n is Element => n instanceof Element && n.isConnected);
}

function find(lost: Element, records: MutationRecord[]): void {
  const record = records.find((r) => [...r.removedNodes].some((n) => n.contains(lost)));
  const removed = [...(record?.removedNodes ?? [])].find((n): n is Element => n instanceof Element && n.contains(lost));
  if (!record || !removed || !(record.target instanceof Element)) return;
  // The labeling loop moves the focus itself, in the same frame.
  if (record.target.closest("label-loop")) return;
  const added = records.filter((r) => r.target === record.target).flatMap((r) => elements(r.addedNodes));
  const part = added.length > 0 ? added : [record.target.isConnected ? record.target : document.body];
  const offered = part.flatMap(within);
  const at = again(mark(lost), within(removed).indexOf(lost), offered.map(mark));
  const next = added.length > 0 || at >= 0 ? offered[at] : undefined;
  const heir = next instanceof HTMLElement || next instanceof SVGElement ? next : document.getElementById("main");
  heir?.focus({ preventScroll: true });
  // What a person asked for is brought into view; news never moves the page.
  if (performance.now() - asked < 3000) heir?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

let asked = -Infinity;
for (const kind of ["keydown", "click"]) document.addEventListener(kind, () => (asked = performance.now()), true);

document.addEventListener("focusin", (event) => {
  held = event.target instanceof Element ? event.target : null;
});
document.addEventListener("focusout", (event) => {
  // Removing an element takes the focus from it as well; by then it is gone.
  if (!event.relatedTarget) {
    queueMicrotask(() => {
      if (held?.isConnected && document.activeElement !== held) held = null;
    });
  }
});
new MutationObserver((records) => {
  if (!held || held.isConnected) return;
  const lost = held;
  held = null;
  if (document.activeElement === null || document.activeElement === document.body) find(lost, records);
}).observe(document.body, { childList: true, subtree: true });
