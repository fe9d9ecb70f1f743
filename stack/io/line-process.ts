import { createInterface } from "node:readline";

/** What a process that is driven by lines does with them. */
export type LineHandler = {
  /** One line of stdin, parsed. An exception ends the process with code 1 and an `error` line. */
  onLine(value: unknown): void;
  /** stdin ended, or SIGTERM or SIGINT came: close everything, so that the process can end. Called once. */
  onEnd(): void;
};

/**
 * Makes this process one that a parent drives: a JSON value a line on stdin, a JSON value a line on stdout, words for
 * people on stderr. When the parent dies, however it dies, stdin ends and so does the process.
 *
 * @returns `end`: as if stdin had ended
 */
export function serveLines(handler: LineHandler): { end: () => void } {
  let ended = false;
  const end = () => {
    if (ended) return;
    ended = true;
    process.stdin.destroy();
    process.off("SIGTERM", end);
    process.off("SIGINT", end);
    handler.onEnd();
  };
  const fail = (error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    writeLine({ type: "error", ...(code === undefined ? {} : { code }), message: message ?? String(error) });
    process.exitCode = 1;
    end();
  };
  process.on("SIGTERM", end);
  process.on("SIGINT", end);
  process.on("uncaughtException", fail);
  // Nobody reads any more: the parent is gone, and there is nobody to tell.
  process.stdout.on("error", end);
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    if (ended || line.trim() === "") return;
    try {
      handler.onLine(JSON.parse(line));
    } catch (error) {
      fail(error);
    }
  });
  lines.on("close", end);
  return { end };
}

/** One line of stdout. */
export function writeLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
