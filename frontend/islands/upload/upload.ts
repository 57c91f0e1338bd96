// <adjudge-upload> around the file field of a form: files may be dropped on it,
// and the form is sent with a progress bar. Without it the form works as plain
// HTML does.

/** Fills {name} in a message. */
export function words(message: string, values: Record<string, string | number>): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Whole percents of what was sent; 0 while the size is not known. */
export function percent(loaded: number, total: number): number {
  return total > 0 ? Math.min(100, Math.floor((loaded / total) * 100)) : 0;
}

class Upload extends HTMLElement {
  private depth = 0;

  connectedCallback(): void {
    const zone = this.querySelector<HTMLElement>(".dropzone");
    const input = this.querySelector<HTMLInputElement>("input[type=file]");
    const form = this.closest("form");
    if (!zone || !input || !form) return;
    // The whole window takes a file, so that one dropped beside does not replace the page.
    for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
      window.addEventListener(name, (event) => this.drag(event as DragEvent, zone, input, form));
    }
    input.addEventListener("change", () => {
      if (input.files?.length) form.requestSubmit();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send(form);
    });
  }

  private drag(event: DragEvent, zone: HTMLElement, input: HTMLInputElement, form: HTMLFormElement): void {
    if (!this.isConnected || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (event.type === "dragenter") this.depth++;
    if (event.type === "dragleave") this.depth--;
    if (event.type === "drop") this.depth = 0;
    zone.classList.toggle("over", this.depth > 0);
    if (event.type === "drop" && event.dataTransfer.files.length > 0) {
      input.files = event.dataTransfer.files;
      form.requestSubmit();
    }
  }

  private send(form: HTMLFormElement): void {
    const sending = this.querySelector<HTMLElement>(".sending");
    const bar = sending?.querySelector("progress");
    const line = sending?.querySelector<HTMLElement>("[role=status]");
    if (!sending || !bar || !line) return;
    sending.hidden = false;
    for (const button of form.querySelectorAll<HTMLButtonElement>("button")) button.disabled = true;
    const request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => {
      bar.value = percent(event.loaded, event.total);
      line.textContent = words(this.dataset.sending ?? "", { percent: bar.value });
    });
    const failed = (): void => {
      line.textContent = this.dataset.failed ?? "";
      for (const button of form.querySelectorAll<HTMLButtonElement>("button")) button.disabled = false;
    };
    request.addEventListener("error", failed);
    request.addEventListener("abort", failed);
    request.addEventListener("load", () => {
      // The answer redirects to the page of the import; a refusal is a page too.
      if (request.status < 400 && request.responseURL) {
        window.location.assign(request.responseURL);
        return;
      }
      const answer = new DOMParser().parseFromString(request.responseText, "text/html");
      const reason = answer.querySelector(".banner strong, .problem p")?.textContent;
      failed();
      if (reason) line.textContent = reason;
    });
    request.open("POST", form.action);
    request.send(new FormData(form));
  }
}

if (typeof customElements !== "undefined") customElements.define("adjudge-upload", Upload);
