/** A place in the tokens of a script, and what may stand there. */

import type { Token, TokenKind } from "./lexer.ts";
import { type Position, ScriptSyntaxError } from "./script-error.ts";

export class TokenStream {
  readonly #tokens: readonly Token[];
  readonly #text: string;
  #at = 0;

  /** `tokens` are those of `text`; the last one is the end. */
  constructor(tokens: readonly Token[], text: string) {
    this.#tokens = tokens;
    this.#text = text;
  }

  /** What has been passed since the token that began at `start`, without its line ends and alignment. */
  textSince(start: number): string {
    return this.#text.slice(start, this.#tokens[this.#at - 1]?.end ?? start).replaceAll(/\s+/g, " ");
  }

  get position(): Position {
    return this.peek().position;
  }

  peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#at + ahead, this.#tokens.length - 1)]!;
  }

  next(): Token {
    const token = this.peek();
    this.#at++;
    return token;
  }

  /** The next token is the word or punctuation `text`. */
  at(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return (token.kind === "word" || token.kind === "punctuation") && token.text === text;
  }

  atKind(kind: TokenKind, ahead = 0): boolean {
    return this.peek(ahead).kind === kind;
  }

  /** Passes `text` if it is next. */
  accept(text: string): boolean {
    if (!this.at(text)) return false;
    this.#at++;
    return true;
  }

  expect(text: string): Token {
    if (!this.at(text)) this.fail(`"${text}"`);
    return this.next();
  }

  expectKind(kind: TokenKind, what: string): Token {
    if (!this.atKind(kind)) this.fail(what);
    return this.next();
  }

  /** Decimal or hexadecimal, with an optional sign. */
  expectInteger(what: string): bigint {
    const negative = this.at("-") && this.atKind("integer", 1);
    if (negative) this.next();
    const value = BigInt(this.expectKind("integer", what).text);
    return negative ? -value : value;
  }

  expectNumber(what: string, maximum: number): number {
    const { position } = this;
    const value = this.expectInteger(what);
    if (value < 0n || value > BigInt(maximum))
      throw new ScriptSyntaxError(position, `${what} from 0 to ${maximum}`, `${value}`);
    return Number(value);
  }

  /** Words and numbers that stand together without a space: cookies, digests. */
  glued(what: string): string {
    let token = this.next();
    if (token.kind !== "word" && token.kind !== "integer")
      throw new ScriptSyntaxError(token.position, what, describe(token));
    let { text } = token;
    while ((this.atKind("word") || this.atKind("integer")) && this.peek().start === token.end) {
      token = this.next();
      text += token.text;
    }
    return text;
  }

  fail(expected: string): never {
    throw new ScriptSyntaxError(this.position, expected, describe(this.peek()));
  }
}

function describe(token: Token): string {
  if (token.kind === "end") return "the end of the file";
  return `"${token.text}"`;
}
