/** Logs: NDJSON on stderr, a line a record; stdout is for data alone. */

export const logLevels = ["error", "warning", "info", "debug"] as const;
export type LogLevel = (typeof logLevels)[number];

export class Log {
  readonly #threshold: number;
  readonly #write: (line: string) => void;

  constructor(level: LogLevel, write: (line: string) => void = (line) => void process.stderr.write(line)) {
    this.#threshold = logLevels.indexOf(level);
    this.#write = write;
  }

  /** Whether records of the level are written: for those that cost something to make. */
  has(level: LogLevel): boolean {
    return logLevels.indexOf(level) <= this.#threshold;
  }

  error(message: string, fields?: object): void {
    this.#record("error", message, fields);
  }

  warning(message: string, fields?: object): void {
    this.#record("warning", message, fields);
  }

  info(message: string, fields?: object): void {
    this.#record("info", message, fields);
  }

  debug(message: string, fields?: object): void {
    this.#record("debug", message, fields);
  }

  #record(level: LogLevel, message: string, fields: object = {}): void {
    if (this.has(level))
      this.#write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
  }
}
