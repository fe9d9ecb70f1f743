import type { LinkSample } from "../metrics/link-sample.ts";
import type { LabObserver } from "./substrate.ts";

/** The counters of all directions at one time. */
class Samples {
  readonly #byDirection = new Map<string, LinkSample>();

  add(sample: LinkSample): void {
    this.#byDirection.set(`${sample.link}/${sample.direction}`, sample);
  }

  get complete(): boolean {
    return this.#byDirection.size === 4;
  }

  packets(link: string, ...directions: LinkSample["direction"][]): number {
    return this.#sum(link, directions, ({ packets }) => packets);
  }

  blackholed(link: string): number {
    return this.#sum(link, [], ({ dropsBlackhole }) => dropsBlackhole);
  }

  #sum(link: string, directions: readonly LinkSample["direction"][], value: (sample: LinkSample) => number): number {
    const wanted = directions.length > 0 ? directions : (["forward", "backward"] as const);
    return wanted.reduce((sum, direction) => {
      const sample = this.#byDirection.get(`${link}/${direction}`);
      return sample === undefined ? sum : sum + value(sample);
    }, 0);
  }
}

/** What a lab told. Tests wait for counters, never for time. */
export class RecordingObserver implements LabObserver {
  readonly problems: string[] = [];
  readonly #onProgress: (message: string) => void;
  #current = new Samples();
  #time = -1;
  #waiting: ((samples: Samples) => void)[] = [];

  constructor(onProgress: (message: string) => void = () => undefined) {
    this.#onProgress = onProgress;
  }

  progress(message: string): void {
    this.#onProgress(message);
  }

  problem(source: string, message: string): void {
    this.problems.push(`${source}: ${message}`);
  }

  linkSample(sample: LinkSample): void {
    if (sample.time !== this.#time) this.#current = new Samples();
    this.#time = sample.time;
    this.#current.add(sample);
    if (this.#current.complete) for (const tell of this.#waiting.splice(0)) tell(this.#current);
  }

  /** The first set of all links' counters that is taken from now on. */
  nextSamples(): Promise<Samples> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async samplesWhere(holds: (samples: Samples) => boolean): Promise<Samples> {
    for (;;) {
      const samples = await this.nextSamples();
      if (holds(samples)) return samples;
    }
  }
}
