import type { PlayerProgress } from "./program-result.ts";

/**
 * Reads what `ffmpeg -progress` writes: lines `key=value`, each report closed by `progress=continue` or `progress=end`. Before the first picture `out_time_us`
 * is `N/A`; such a report says nothing.
 */
export class PlayerProgressReader {
  readonly reports: PlayerProgress[] = [];
  #rest = "";
  #values = new Map<string, string>();

  /** `at`: when the text came. */
  push(text: string, at: number): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop()!;
    for (const line of lines) {
      const [key = "", value = ""] = line.trim().split("=", 2);
      this.#values.set(key, value.trim());
      if (key === "progress") this.#report(at);
    }
  }

  #report(at: number): void {
    const mediaMicroseconds = Number(this.#values.get("out_time_us"));
    const frames = Number(this.#values.get("frame"));
    this.#values.clear();
    if (mediaMicroseconds >= 0 && frames > 0) this.reports.push({ at, mediaMicroseconds, frames });
  }
}
