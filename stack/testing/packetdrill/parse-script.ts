/** The language of packetdrill, with the MPTCP options of its fork: options, statements and their times. */

import { tokenize } from "./lexer.ts";
import { parseCall } from "./parse-call.ts";
import { parsePacket } from "./parse-packet.ts";
import { ScriptSyntaxError } from "./script-error.ts";
import type { Action, Script, ScriptOption, Statement, StatementTime } from "./syntax.ts";
import { TokenStream } from "./token-stream.ts";

const microsecondsPerSecond = 1e6;

/** @throws ScriptSyntaxError with the place, what was expected there and what was found */
export function parseScript(text: string, file: string): Script {
  const stream = new TokenStream(tokenize(text, file), text);
  const options: ScriptOption[] = [];
  while (stream.atKind("option")) options.push(parseOption(stream));
  const statements: Statement[] = [];
  while (!stream.atKind("end")) statements.push(parseStatement(stream));
  if (statements.length === 0) stream.fail("a statement");
  return { file, options, statements };
}

function parseOption(stream: TokenStream): ScriptOption {
  const { text, position } = stream.next();
  if (!stream.accept("=")) return { name: text.slice(2), value: undefined, position };
  let token = stream.next();
  let value = token.text;
  while (stream.peek().start === token.end && !stream.atKind("end")) {
    token = stream.next();
    value += token.text;
  }
  return { name: text.slice(2), value, position };
}

function parseStatement(stream: TokenStream): Statement {
  const { position } = stream;
  const time = parseTime(stream);
  let endTime: number | undefined;
  if (stream.atKind("ellipsis")) {
    stream.next();
    endTime = parseSeconds(stream);
  }
  return { time, endTime, action: parseAction(stream, endTime !== undefined), position };
}

function parseTime(stream: TokenStream): StatementTime {
  // Commands before and after the events have no time.
  if (stream.atKind("shell")) return { kind: "immediate" };
  if (stream.accept("*")) return { kind: "any" };
  const { position } = stream;
  const relative = stream.accept("+");
  if (!stream.atKind("integer") && !stream.atKind("decimal")) stream.fail("a time, as 0.100, +0.01, +0~+0.5 or *");
  const from = parseSeconds(stream);
  let to = from;
  if (stream.accept("~")) {
    if (stream.accept("+") !== relative)
      throw new ScriptSyntaxError(position, "both ends of the range relative, or none", "one of each");
    to = parseSeconds(stream);
  }
  if (to < from)
    throw new ScriptSyntaxError(
      position,
      "a range whose end is not before its beginning",
      `${from} ~ ${to} microseconds`,
    );
  return { kind: "at", relative, from, to };
}

function parseSeconds(stream: TokenStream): number {
  if (!stream.atKind("integer") && !stream.atKind("decimal")) stream.fail("seconds");
  return Math.round(Number(stream.next().text) * microsecondsPerSecond);
}

function parseAction(stream: TokenStream, blocks: boolean): Action {
  if (stream.atKind("shell")) return { kind: "shell", command: stream.next().text };
  if (stream.atKind("code")) return { kind: "code", text: stream.next().text.trim() };
  if (!blocks && (stream.at("<") || stream.at(">"))) return { kind: "packet", packet: parsePacket(stream) };
  if (!stream.atKind("word"))
    stream.fail(blocks ? "a system call" : "a packet (< or >), a system call, a `command` or %{ code }%");
  return { kind: "call", call: parseCall(stream) };
}
