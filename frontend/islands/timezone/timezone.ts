// Fills an empty time zone field with the zone of this device, which the person
// sees and may change before anything is sent.
export function fill(fields: Iterable<{ value: string }>, zone: string | undefined): void {
  if (!zone) return;
  for (const field of fields) {
    if (field.value === "") field.value = zone;
  }
}

if (typeof document !== "undefined") {
  fill(document.querySelectorAll<HTMLInputElement>("input[data-time-zone]"), Intl.DateTimeFormat().resolvedOptions().timeZone);
}
