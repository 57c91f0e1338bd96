// The texts of this island come from the server's message catalogue; only the
// placeholders are filled here, by the same rules as in frontend/ui.

/** Fills "{name}" and "{n|one|many}". */
export function fill(message: string, args: Record<string, string | number> = {}): string {
  return message.replace(/\{([^{}|]+)(?:\|([^{}|]*)\|([^{}]*))?\}/g, (whole, name: string, one?: string, many?: string) => {
    const value = args[name];
    if (value === undefined) return whole;
    if (one !== undefined) return value === 1 ? one : many!;
    return typeof value === "number" ? count(value) : value;
  });
}

/** Writes a whole number with thousands separators. */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ",");
}
