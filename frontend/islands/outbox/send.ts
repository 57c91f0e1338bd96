// Sends one entry of the outbox to the server.

import { base } from "./base";
import type { Answer, Entry } from "./queue";

const PATIENCE = 15_000;

export async function send(e: Entry): Promise<Answer> {
  const api = `${base()}/api/v1/projects/${encodeURIComponent(e.project)}/annotations`;
  const undo = e.kind === "undo";
  const response = await fetch(
    undo ? `${api}/${e.target}?person=${encodeURIComponent(e.person)}&page=${e.page ?? ""}` : `${api}/${e.id}`,
    {
      method: undo ? "DELETE" : "PUT",
      credentials: "same-origin",
      headers: { Accept: "application/json", ...(undo ? {} : { "Content-Type": "application/json" }) },
      ...(undo ? {} : { body: JSON.stringify({ ...e.body, item: e.item, kind: e.kind, person: e.person, ...(e.page ? { page: e.page } : {}) }) }),
      signal: AbortSignal.timeout(PATIENCE),
    },
  );
  if (response.ok) return "done";
  if (response.status === 401) return "login";
  // Too early, too many, our own trouble, or a proxy's: the same entry may pass later.
  if (response.status >= 500 || response.status === 408 || response.status === 425 || response.status === 429) return "later";
  return { refused: await words(response) };
}

/** What the server says about a refusal. */
export async function words(response: Response): Promise<string> {
  try {
    const problem = (await response.json()) as { detail?: string; title?: string };
    return problem.detail || problem.title || `HTTP ${response.status}`;
  } catch {
    return `HTTP ${response.status}`;
  }
}
