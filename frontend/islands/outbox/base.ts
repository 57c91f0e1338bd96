// Where the server stands: "" at the root of a site, else the path below which
// all its addresses are.

export const base = (): string => document.documentElement.dataset["base"] ?? "";

/** The address of a local path. */
export const at = (path: string): string => base() + path;

/** The local path of the page that is open. */
export function here(): string {
  const path = location.pathname + location.search;
  return path.startsWith(base() + "/") ? path.slice(base().length) : path;
}
