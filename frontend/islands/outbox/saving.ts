// The state of saving in words: "All saved", "3 waiting, last saved 10:42".

import type { State } from "./queue";
import { fill } from "./words";

export interface Saving {
  words: string;
  mood: "saved" | "waiting" | "trouble";
}

export function saving(s: State, kept: boolean, texts: Record<string, string>, clock: (at: number) => string): Saving {
  if (s.waiting === 0) return { words: texts["all"] ?? "", mood: "saved" };
  const time = s.saved ? clock(s.saved) : "";
  let key = time ? "waiting" : "waiting.first";
  let mood: Saving["mood"] = "waiting";
  if (s.trouble === "login") (key = "login"), (mood = "trouble");
  else if (s.trouble === "offline") (key = time ? "offline" : "offline.first"), (mood = "trouble");
  let words = fill(texts[key] ?? key, { n: s.waiting, time });
  if (!kept) words += ` ${texts["unkept"] ?? ""}`;
  return { words, mood };
}
