import { spawn } from "node:child_process";

/** A program of the machine that failed, with its own words. */
export class CommandError extends Error {
  readonly argv: readonly string[];
  readonly code: number | null;
  readonly stderr: string;

  constructor(argv: readonly string[], code: number | null, stderr: string) {
    super(`${argv.join(" ")}: ${stderr.trim() || (code === null ? "was killed" : `exit code ${code}`)}`);
    this.name = "CommandError";
    this.argv = argv;
    this.code = code;
    this.stderr = stderr;
  }
}

export interface CommandOptions {
  /** Written to the program's standard input, which is otherwise closed. */
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly directory?: string;
  /** Kills the program and what it started. */
  readonly signal?: AbortSignal;
  /** Called for each line of either output as it comes. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program to its end in a process group of its own, so that stopping it stops what it started. Answers its standard output; anything but exit code 0 is a `CommandError`. */
export function runCommand(argv: readonly [string, ...string[]], options: CommandOptions = {}): Promise<string> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    options.signal?.throwIfAborted();
    const child = spawn(program, args, {
      cwd: options.directory,
      detached: true,
      env: { ...process.env, LC_ALL: "C", ...options.environment },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    const outputs = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name]?.setEncoding("utf8");
      let line = "";
      child[name]?.on("data", (text: string) => {
        outputs[name] += text;
        if (options.onLine === undefined) return;
        const lines = (line + text).split(/[\n\r]/);
        line = lines.pop() ?? "";
        for (const complete of lines) options.onLine(complete);
      });
    }
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    };
    options.signal?.addEventListener("abort", stop, { once: true });
    child.once("error", (error) => {
      options.signal?.removeEventListener("abort", stop);
      reject(new CommandError(argv, null, error.message));
    });
    child.once("close", (code) => {
      options.signal?.removeEventListener("abort", stop);
      if (code === 0) resolve(outputs.stdout);
      else reject(new CommandError(argv, code, outputs.stderr || outputs.stdout));
    });
    // A program that ends before it read everything answers with its exit code, not with EPIPE.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(options.input);
  });
}
