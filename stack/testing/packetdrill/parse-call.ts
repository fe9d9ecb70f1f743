/** System calls: `accept(3, ..., ...) = 4`, `connect(3, ..., ...) = -1 EINPROGRESS (Operation now in progress)`. */

import type { CallSpec, Expression } from "./syntax.ts";
import type { TokenStream } from "./token-stream.ts";

export function parseCall(stream: TokenStream): CallSpec {
  const { position } = stream;
  const name = stream.expectKind("word", "the name of a system call").text;
  const parameters = parseArguments(stream);
  stream.expect("=");
  let result: Expression | undefined;
  if (!stream.accept("?")) result = parseExpression(stream);
  const errno = stream.atKind("word") && /^E[A-Z0-9]+$/.test(stream.peek().text) ? stream.next().text : undefined;
  if (stream.accept("(")) skipNote(stream);
  return { name, arguments: parameters, result, errno, position };
}

function parseArguments(stream: TokenStream): Expression[] {
  stream.expect("(");
  const items: Expression[] = [];
  while (!stream.accept(")")) {
    if (items.length > 0) stream.expect(",");
    items.push(parseExpression(stream, true));
  }
  return items;
}

/** `(Operation now in progress)`, `(flags O_RDWR)`: words for the reader. */
function skipNote(stream: TokenStream): void {
  for (let depth = 1; depth > 0;) {
    if (stream.atKind("end")) stream.fail('")"');
    const token = stream.next();
    if (token.text === "(") depth++;
    else if (token.text === ")") depth--;
  }
}

/** `isArgument`: `name = value` may stand there, one field without its braces. */
function parseExpression(stream: TokenStream, isArgument = false): Expression {
  const { position } = stream;
  const first = parseOperand(stream, isArgument);
  if (!stream.at("|")) return first;
  const operands = [first];
  while (stream.accept("|")) operands.push(parseOperand(stream));
  return { kind: "or", operands, position };
}

function parseOperand(stream: TokenStream, isArgument = false): Expression {
  const token = stream.peek();
  const { position } = token;
  switch (token.kind) {
    case "ellipsis":
      stream.next();
      return { kind: "ellipsis", position };
    case "string": {
      let text = stream.next().text;
      // Adjacent strings are one, as in C.
      while (stream.atKind("string")) text += stream.next().text;
      // As strace writes what it has cut off.
      if (stream.atKind("ellipsis")) stream.next();
      return { kind: "string", text, position };
    }
    case "integer":
      return { kind: "integer", value: stream.expectInteger("a number"), position };
    case "word": {
      const name = stream.next().text;
      if (isArgument && stream.accept("="))
        return { kind: "structure", fields: new Map([[name, parseExpression(stream)]]), position };
      return stream.at("(")
        ? { kind: "application", name, arguments: parseArguments(stream), position }
        : { kind: "word", name, position };
    }
    default:
  }
  if (stream.at("-")) return { kind: "integer", value: stream.expectInteger("a number"), position };
  if (stream.accept("[")) return { kind: "list", items: parseItems(stream, "]"), position };
  if (stream.at("{") && atHeader(stream)) return parseHeader(stream);
  if (stream.accept("{")) return parseStructure(stream, position);
  return stream.fail("an argument");
}

function parseItems(stream: TokenStream, closing: string): Expression[] {
  const items: Expression[] = [];
  while (!stream.accept(closing)) {
    if (items.length > 0) stream.expect(",");
    items.push(parseExpression(stream));
  }
  return items;
}

/** GRE's header begins with its flags and no "=", MPLS's with a label stack entry in parentheses. */
function atHeader(stream: TokenStream): boolean {
  if (stream.at("(", 1)) return true;
  return stream.at("flags", 1) && (stream.at("[", 2) || stream.atKind("integer", 2));
}

function parseHeader(stream: TokenStream): Expression {
  const { position, start } = stream.peek();
  while (!stream.accept("}")) {
    if (stream.atKind("end")) stream.fail('"}"');
    stream.next();
  }
  return { kind: "header", text: stream.textSince(start), position };
}

/** `{sa_family = AF_INET, sin_port = htons(8080)}`, `{fd=4, events=POLLIN}`; also `{..., 10}` without names, and `msg_iov(1)=[…]`. */
function parseStructure(stream: TokenStream, position: Expression["position"]): Expression {
  const fields = new Map<string, Expression>();
  while (!stream.accept("}")) {
    if (fields.size > 0) stream.expect(",");
    const first = parseExpression(stream);
    const isName = first.kind === "word" || first.kind === "application";
    if (isName && (stream.accept("=") || stream.accept(":"))) fields.set(first.name, parseExpression(stream));
    else fields.set(`${fields.size}`, first);
  }
  return { kind: "structure", fields, position };
}
