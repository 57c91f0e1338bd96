// The cover: hides the whole screen at one key, be it from somebody who walks
// past, and is taken off by another.

export class Cover {
  private since = 0;

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly lifted: (covered: number) => void, // with how long it was covered
    signal: AbortSignal,
  ) {
    dialog.addEventListener("close", () => {
      if (this.since === 0) return;
      const covered = performance.now() - this.since;
      this.since = 0;
      this.lifted(covered);
    }, { signal });
    dialog.addEventListener("keydown", (e) => {
      e.stopPropagation();
      // A key that is still held down, or the one that covers, says nothing.
      if (e.key === "Enter" && !e.repeat && !e.isComposing) {
        e.preventDefault();
        dialog.close();
      }
    }, { signal });
  }

  get on(): boolean {
    return this.since > 0;
  }

  show(): void {
    if (this.on) return;
    this.since = performance.now();
    this.dialog.showModal(); // above everything, other dialogs as well
    this.dialog.focus(); // not its button, which Space would press
  }

  lift(): void {
    this.dialog.close();
  }
}
