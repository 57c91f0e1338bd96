// The metrics of a run, drawn as they come.

import { charts, fill, text, thin, ticks, type Point, type Series } from "./scale";

interface Config {
  src: string;
  run: string;
  over: boolean;
  words: { step: string; none: string; one: string; label: string };
}

const W = 360;
const H = 180;
const BOX = { left: 44, right: 352, top: 10, bottom: 156 };

class RunChart extends HTMLElement {
  private config!: Config;
  private timer = 0;
  private busy = false;
  private again = false;

  connectedCallback(): void {
    this.config = JSON.parse(this.dataset["config"] ?? "{}") as Config;
    document.addEventListener("adjudge:live", this.heard);
    void this.load();
    if (!this.config.over) this.timer = window.setInterval(this.fallback, 2000);
  }

  disconnectedCallback(): void {
    document.removeEventListener("adjudge:live", this.heard);
    clearInterval(this.timer);
  }

  private heard = (e: Event): void => {
    const events = (e as CustomEvent<{ kind: string; subject: string }[]>).detail ?? [];
    if (events.some((x) => (x.kind === "run.grew" && x.subject === `run/${this.config.run}`) || x.kind.startsWith("job."))) void this.load();
  };

  /** Without the socket the page asks by itself. */
  private fallback = (): void => {
    if (!("live" in document.documentElement.dataset)) void this.load();
  };

  private async load(): Promise<void> {
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      const response = await fetch(this.config.src, { headers: { Accept: "application/json" } });
      if (response.ok) {
        const body = (await response.json()) as { items: Point[]; over: boolean };
        this.draw(body.items);
        if (body.over) clearInterval(this.timer);
      }
    } catch {
      // The server is away; the next event or tick asks again.
    }
    this.busy = false;
    if (this.again) {
      this.again = false;
      void this.load();
    }
  }

  private draw(points: Point[]): void {
    const all = charts(points);
    const figures = [...all].map(([name, series]) => this.figure(name, series));
    this.querySelector("[data-part=charts]")?.replaceChildren(...figures);
    const said = [...all].flatMap(([name, series]) => series.map((s) => this.say(name, s)));
    const sentence = this.querySelector("[data-part=sentence]");
    if (sentence) sentence.textContent = said.length > 0 ? said.join("; ") + "." : this.config.words.none;
  }

  private say(name: string, s: Series): string {
    const first = s.points[0]!;
    const last = s.points[s.points.length - 1]!;
    return fill(this.config.words.one, { name: s.split ? `${s.split} ${name}` : name, from: text(first.value), to: text(last.value), step: last.step });
  }

  private figure(name: string, series: Series[]): HTMLElement {
    const figure = document.createElement("figure");
    const caption = document.createElement("figcaption");
    const title = document.createElement("strong");
    title.textContent = name;
    caption.append(title);
    const svg = element("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": fill(this.config.words.label, { name }) + ": " + series.map((s) => this.say(name, s)).join("; ") });
    const points = series.flatMap((s) => s.points);
    const values = points.map((p) => p.value);
    const steps = points.map((p) => p.step);
    const marks = ticks(Math.min(...values), Math.max(...values));
    const [low, high] = [marks[0]!, marks[marks.length - 1]!];
    const [from, to] = [Math.min(...steps), Math.max(...steps)];
    const x = (step: number): number => (to > from ? BOX.left + ((BOX.right - BOX.left) * (step - from)) / (to - from) : (BOX.left + BOX.right) / 2);
    const y = (v: number): number => BOX.bottom - ((BOX.bottom - BOX.top) * (v - low)) / (high - low);
    for (const m of marks) {
      svg.append(element("line", { class: "axis", x1: BOX.left, x2: BOX.right, y1: y(m), y2: y(m) }));
      svg.append(words(text(m), { x: BOX.left - 6, y: y(m) + 4, "text-anchor": "end" }));
    }
    svg.append(words(String(from), { x: BOX.left, y: H - 8 }));
    if (to > from) svg.append(words(String(to), { x: BOX.right, y: H - 8, "text-anchor": "end" }));
    svg.append(words(this.config.words.step, { x: (BOX.left + BOX.right) / 2, y: H - 8, "text-anchor": "middle" }));
    series.forEach((s, i) => {
      const g = element("g", { class: `s${i % 4}` });
      const d = thin(s.points, 400).map((p, n) => `${n === 0 ? "M" : "L"}${x(p.step).toFixed(1)} ${y(p.value).toFixed(1)}`);
      g.append(element("path", { class: "course", d: d.join("") }));
      const last = s.points[s.points.length - 1]!;
      g.append(element("circle", { class: "dot", cx: x(last.step), cy: y(last.value), r: 3 }));
      svg.append(g);
      caption.append(key(`${s.split || name} ${text(last.value)}`, i));
    });
    figure.append(caption, svg);
    return figure;
  }
}

function element(tag: string, attributes: Record<string, string | number>): SVGElement {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, String(value));
  return e;
}

function words(content: string, attributes: Record<string, string | number>): SVGElement {
  const e = element("text", attributes);
  e.textContent = content;
  return e;
}

/** Key names a line by its dash and colour, with its last value. */
function key(label: string, i: number): HTMLElement {
  const span = document.createElement("span");
  span.className = `key s${i % 4}`;
  const svg = element("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" });
  svg.append(element("path", { class: "course", d: "M1 4L21 4" }));
  const name = document.createElement("span");
  name.textContent = label;
  name.dir = "auto";
  span.append(svg, name);
  return span;
}

customElements.define("run-chart", RunChart);
