/** What can be wrong with a script, or with what a script finds. */

export interface Position {
  file: string;
  line: number;
  column: number;
}

export function formatPosition({ file, line, column }: Position): string {
  return `${file}:${line}:${column}`;
}

/** The text is no script. */
export class ScriptSyntaxError extends Error {
  readonly position: Position;
  readonly expected: string;
  readonly found: string;

  constructor(position: Position, expected: string, found: string) {
    super(`${formatPosition(position)}: expected ${expected}, found ${found}`);
    this.name = "ScriptSyntaxError";
    this.position = position;
    this.expected = expected;
    this.found = found;
  }
}

/** The script ran, and the host did something else. */
export class ScriptFailure extends Error {
  readonly position: Position;

  constructor(position: Position, message: string) {
    super(`${formatPosition(position)}: ${message}`);
    this.name = "ScriptFailure";
    this.position = position;
  }
}

/** The script is well formed, but asks for something that this machine does not do; never passed over in silence. */
export class ScriptUnsupported extends Error {
  readonly position: Position;

  constructor(position: Position, what: string) {
    super(`${formatPosition(position)}: unsupported: ${what}`);
    this.name = "ScriptUnsupported";
    this.position = position;
  }
}
