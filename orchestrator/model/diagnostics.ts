/** What is wrong with a file, where, and what to do about it. A file's problems are all told at once, in the order of the file. */

export interface Diagnostic {
  /** As the user named it, or relative to the file that names it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** `links.wifi.ends[0]`; `file` where the whole file is meant. */
  readonly path: string;
  readonly found: string;
  readonly expected: string;
  readonly hint: string;
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** `file:line:col: path: found …, expected …; hint`. */
export function formatDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, path, found, expected, hint } = diagnostic;
  return `${file}:${line}:${column}: ${path}: found ${found}, expected ${expected}; ${hint}`;
}

export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic)}\n`).join("");
}

/** Files stay in the order in which they were first complained about. The same complaint twice is told once. */
export function inFileOrder(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(diagnostics.map(({ file }) => file))];
  const seen = new Set<string>();
  return [...diagnostics]
    .sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column)
    .filter((diagnostic) => {
      const text = formatDiagnostic(diagnostic);
      return !seen.has(text) && seen.add(text);
    });
}

export type KeyPath = readonly (string | number)[];

export function formatPath(path: KeyPath): string {
  let text = "";
  for (const key of path) {
    const name = typeof key === "number" ? `[${key}]` : /^[\w-]+$/.test(key) ? key : `[${formatFound(key)}]`;
    text += text === "" || name.startsWith("[") ? name : `.${name}`;
  }
  return text === "" ? "file" : text;
}

/** A value as it is shown after "found": short, on one line. */
export function formatFound(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "an empty value";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object") return Object.keys(value).length === 0 ? "an empty mapping" : "a mapping";
  const text = typeof value === "bigint" ? value.toString() : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

/** `a`, `a or b`, `a, b or c`. */
export function formatChoice(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "nothing") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** A hint for a name that is none of `known`: the one that was probably meant, else all of them. */
export function suggestName(written: string, known: readonly string[]): string {
  const nearest = nearestName(written, known);
  return nearest
    ? `did you mean ${nearest}?`
    : known.length === 0
      ? "there is none yet"
      : `there is ${known.join(", ")}`;
}

export function nearestName(written: string, known: readonly string[]): string | undefined {
  const distances = known.map((name) => ({ name, distance: editDistance(normalize(written), normalize(name)) }));
  const best = distances.sort((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= Math.max(1, Math.floor(written.length / 3)) ? best.name : undefined;
}

/** `playback_buffer`, `playback-buffer` and `playbackBuffer` are one word to a reader. */
const normalize = (name: string): string => name.toLowerCase().replace(/[-_ ]/g, "");

/** Levenshtein's distance, a swap of neighbours counted as one (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = last[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let distance = Math.min(last[column]! + 1, current[column - 1]! + 1, substitution);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        distance = Math.min(distance, beforeLast[column - 2]! + 1);
      }
      current.push(distance);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
