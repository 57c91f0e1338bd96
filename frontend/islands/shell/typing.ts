/**
 * Reports whether keys that reach this element write text there, so that a
 * page's single-letter keys leave them alone.
 */
export function isTyping(target: EventTarget | null): boolean {
  const element = target as { tagName?: string; type?: string; isContentEditable?: boolean } | null;
  if (!element?.tagName) return false;
  if (element.isContentEditable) return true;
  switch (element.tagName) {
    case "TEXTAREA":
    case "SELECT":
      return true;
    case "INPUT":
      return !["checkbox", "radio", "button", "submit", "reset", "range", "color", "file"].includes(element.type ?? "text");
  }
  return false;
}
