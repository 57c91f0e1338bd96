// What every page has before an island starts.
import type htmx from "htmx.org";

declare global {
  interface Window {
    /** Loaded by every page as its first script. */
    htmx: typeof htmx;
  }
}
