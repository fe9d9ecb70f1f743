/** Text of a script to tokens. Line ends mean nothing in the language; comments are those of C and C++. */

import { type Position, ScriptSyntaxError } from "./script-error.ts";

export type TokenKind =
  | "word"
  | "integer"
  | "decimal"
  | "string"
  | "shell"
  | "code"
  | "option"
  | "ipv4-address"
  | "ipv6-address"
  | "ellipsis"
  | "punctuation"
  | "end";

export interface Token {
  kind: TokenKind;
  /** Without delimiters for strings, shell commands and code. */
  text: string;
  position: Position;
  /** Index of the first character, and of the first one after the token. */
  start: number;
  end: number;
}

interface Rule {
  kind: TokenKind | "skip";
  pattern: RegExp;
  /** Characters of the delimiters on each side. */
  delimiter?: number;
}

/** The first rule that matches wins: longer forms stand before their beginnings. */
const rules: readonly Rule[] = [
  { kind: "skip", pattern: /\s+|\/\/[^\n]*|\/\*[^]*?\*\//y },
  { kind: "code", pattern: /%\{[^]*?\}%/y, delimiter: 2 },
  { kind: "string", pattern: /"(?:\\[^]|[^"\\])*"/y, delimiter: 1 },
  { kind: "shell", pattern: /`(?:\\[^]|[^`\\])*`/y, delimiter: 1 },
  { kind: "option", pattern: /--[A-Za-z0-9_]+/y },
  { kind: "ipv4-address", pattern: /\d+\.\d+\.\d+\.\d+(?![\w.])/y },
  // Only forms with "::" or all eight groups: 1:1001 is a range of sequence numbers.
  {
    kind: "ipv6-address",
    pattern:
      /(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?::(?:[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){0,6})?(?:(?<=:)\d+\.\d+\.\d+\.\d+)?(?!\w|:\S)/y,
  },
  { kind: "ipv6-address", pattern: /(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}(?!\w)/y },
  { kind: "ellipsis", pattern: /\.\.\./y },
  { kind: "decimal", pattern: /\d*\.\d+(?![\w])/y },
  { kind: "integer", pattern: /0[xX][0-9a-fA-F]+(?!\w)|\d+(?!\w)/y },
  { kind: "word", pattern: /[A-Za-z0-9_]+/y },
  { kind: "punctuation", pattern: /[^\s\w]/y },
];

/** @throws ScriptSyntaxError for comments, strings, commands and code that do not end */
export function tokenize(text: string, file: string): Token[] {
  const tokens: Token[] = [];
  const lineStarts = [0];
  for (let i = text.indexOf("\n"); i >= 0; i = text.indexOf("\n", i + 1)) lineStarts.push(i + 1);
  let line = 0;
  const positionOf = (offset: number): Position => {
    while (line + 1 < lineStarts.length && lineStarts[line + 1]! <= offset) line++;
    return { file, line: line + 1, column: offset - lineStarts[line]! + 1 };
  };
  let at = 0;
  while (at < text.length) {
    const { rule, matched } = matchAt(text, at);
    if (rule.kind !== "skip") {
      const position = positionOf(at);
      const cut = rule.delimiter ?? 0;
      if (rule.kind === "punctuation") checkTerminated(text, at, position);
      tokens.push({
        kind: rule.kind,
        text: matched.slice(cut, matched.length - cut),
        position,
        start: at,
        end: at + matched.length,
      });
    }
    at += matched.length;
  }
  tokens.push({ kind: "end", text: "", position: positionOf(text.length), start: text.length, end: text.length });
  return tokens;
}

function matchAt(text: string, at: number): { rule: Rule; matched: string } {
  for (const rule of rules) {
    rule.pattern.lastIndex = at;
    const match = rule.pattern.exec(text);
    if (match !== null && match[0].length > 0) return { rule, matched: match[0] };
  }
  throw new Error("every character is matched by the last rules");
}

/** What begins like a string, a command, code or a comment and came through as punctuation has no end. */
function checkTerminated(text: string, at: number, position: Position): void {
  const openings: readonly [string, string][] = [
    ['"', 'a closing "'],
    ["`", "a closing `"],
    ["%{", "}%"],
    ["/*", "*/"],
  ];
  for (const [opening, closing] of openings) {
    if (text.startsWith(opening, at))
      throw new ScriptSyntaxError(position, `${closing} after ${opening}`, "the end of the file");
  }
}
