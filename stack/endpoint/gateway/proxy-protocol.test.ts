import { expect } from "chai";
import { parseIpAddress } from "../../wire/ip-address.ts";
import { proxyProtocolHeader } from "./proxy-protocol.ts";

const at = (address: string, port: number) => ({ address: parseIpAddress(address)!, port });
const header = (client: string, server: string): string =>
  Buffer.from(proxyProtocolHeader(at(client, 0x1234), at(server, 80))).toString("hex");
const begin = "0d0a0d0a000d0a515549540a21";

describe("the header of PROXY protocol 2", () => {
  it("tells of IPv4", () => {
    expect(header("10.99.0.1", "192.0.2.80")).to.equal(`${begin}11000c0a630001c000025012340050`);
  });

  it("tells of IPv6", () => {
    const [client, server] = ["20010db8000000000000000000000001", "20010db8000000000000000000000080"];
    expect(header("2001:db8::1", "2001:db8::80")).to.equal(`${begin}210024${client}${server}12340050`);
  });

  it("tells of both in the words of IPv6", () => {
    const [client, server] = ["00000000000000000000ffff0a630001", "20010db8000000000000000000000080"];
    expect(header("10.99.0.1", "2001:db8::80")).to.equal(`${begin}210024${client}${server}12340050`);
  });
});
