/** TCP options: `<mss 1460,sackOK,TS val 100 ecr 0,nop,wscale 7>`; `<...>` for any. `UTO 30 s` and `UTO 10 min` (RFC 5482) are ours, not packetdrill's. */

import { parseMptcpOption } from "./parse-mptcp.ts";
import type { OptionSpec } from "./syntax.ts";
import type { TokenStream } from "./token-stream.ts";

const maximum32 = 0xffff_ffff;

export function parseOptions(stream: TokenStream): OptionSpec[] | undefined {
  stream.expect("<");
  if (stream.atKind("ellipsis")) {
    stream.next();
    stream.expect(">");
    return undefined;
  }
  const options: OptionSpec[] = [];
  while (!stream.accept(">")) {
    if (options.length > 0) stream.expect(",");
    options.push(parseOption(stream));
  }
  return options;
}

function parseOption(stream: TokenStream): OptionSpec {
  const token = stream.peek();
  switch (token.text) {
    case "nop":
    case "eol":
    case "sackOK":
      stream.next();
      return { kind: token.text };
    case "mss":
      stream.next();
      if (stream.atKind("word")) {
        const { text, position } = stream.next();
        return { kind: "undefined", text: `mss ${text}`, position };
      }
      return { kind: "mss", value: stream.expectNumber("a segment size", 0xffff) };
    case "ECN":
      return parseAccurateEcn(stream);
    case "wscale":
      stream.next();
      return { kind: "wscale", value: stream.expectNumber("a window scale", 255) };
    case "TS": {
      stream.next();
      stream.expect("val");
      const value = stream.expectNumber("a timestamp", maximum32);
      stream.expect("ecr");
      return { kind: "TS", value, echo: stream.expectNumber("a timestamp", maximum32) };
    }
    case "sack": {
      stream.next();
      const blocks: [number, number][] = [];
      do {
        const left = stream.expectNumber("the left edge of a block", maximum32);
        stream.expect(":");
        blocks.push([left, stream.expectNumber("the right edge of a block", maximum32)]);
      } while (stream.atKind("integer"));
      return { kind: "sack", blocks };
    }
    case "FO":
    case "FOEXP":
    case "md5": {
      const { position } = stream.next();
      const empty = stream.at(",") || stream.at(">");
      return { kind: token.text, cookie: empty ? "" : stream.glued("a cookie in hexadecimal digits"), position };
    }
    case "UTO": {
      stream.next();
      const value = stream.expectNumber("a user timeout", 0x7fff);
      const minutes = stream.accept("min");
      if (!minutes) stream.expect("s");
      return { kind: "UTO", minutes, value };
    }
    default:
      return parseMptcpOption(stream);
  }
}

/** AccECN (RFC 9768 §3.2.3): the counters in the order of the option, `ECN e1b 1 ceb 0 e0b 1`; shorter forms have fewer. */
function parseAccurateEcn(stream: TokenStream): OptionSpec {
  const { position } = stream.next();
  const counters: string[] = [];
  while (stream.at("e0b") || stream.at("e1b") || stream.at("ceb")) {
    const { text } = stream.next();
    counters.push(`${text} ${stream.expectNumber("a counter of bytes", 0xff_ffff)}`);
  }
  return { kind: "undefined", text: ["ECN", ...counters].join(" "), position };
}
