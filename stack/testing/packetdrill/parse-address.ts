import type { AddressRef } from "./syntax.ts";
import type { TokenStream } from "./token-stream.ts";

/** `addr[name]`, `addr[name=inet_addr("10.0.0.1")]`, with `:port` after the name or the address. */
export function parseAddressRef(stream: TokenStream): AddressRef {
  const { position } = stream.expect("addr");
  stream.expect("[");
  const name = stream.expectKind("word", "the name of an address").text;
  let address: string | undefined;
  if (stream.accept("=")) {
    if (stream.at("inet_addr") || stream.at("inet6_addr")) {
      stream.next();
      stream.expect("(");
      address = stream.expectKind("string", "an address in quotes").text;
      stream.expect(")");
    } else if (stream.atKind("ipv4-address") || stream.atKind("ipv6-address")) address = stream.next().text;
    else stream.fail("an address");
  }
  const port = stream.accept(":") ? stream.expectNumber("a port", 0xffff) : undefined;
  stream.expect("]");
  return { name, address, port, position };
}
