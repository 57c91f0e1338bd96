// The texts of this island come from the server's message catalogue, in the
// language of the page; only the placeholders are filled here, by the same rules
// as in frontend/ui.

/** How a language writes numbers and which form of a word goes with one. */
export class Speech {
  private readonly numbers: Intl.NumberFormat;
  private readonly plurals: Intl.PluralRules;
  private readonly forms: string[]; // the plural forms it has, in the order of CLDR

  constructor(lang: string) {
    this.numbers = new Intl.NumberFormat(lang, { maximumFractionDigits: 4 });
    this.plurals = new Intl.PluralRules(lang);
    const has = this.plurals.resolvedOptions().pluralCategories;
    this.forms = ["zero", "one", "two", "few", "many", "other"].filter((f) => (has as string[]).includes(f));
  }

  /** Fills "{name}" and "{n|one|many}". */
  fill(message: string, args: Record<string, string | number> = {}): string {
    return message.replace(/\{([^{}|]+)(?:\|([^{}]*))?\}/g, (whole, name: string, forms?: string) => {
      const value = args[name];
      if (value === undefined) return whole;
      if (forms !== undefined) {
        const words = forms.split("|");
        const form = typeof value === "number" ? this.forms.indexOf(this.plurals.select(value)) : words.length - 1;
        return words[Math.min(Math.max(form, 0), words.length - 1)]!;
      }
      return typeof value === "number" ? this.count(value) : value;
    });
  }

  /** Writes a number with the marks of the language. */
  count(n: number): string {
    return this.numbers.format(n);
  }
}

/** The language of the page. */
export const speech = new Speech((typeof document === "undefined" ? "" : document.documentElement.lang) || "en");

export const fill = (message: string, args?: Record<string, string | number>): string => speech.fill(message, args);
export const count = (n: number): string => speech.count(n);
