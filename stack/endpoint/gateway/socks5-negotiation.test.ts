import { expect } from "chai";
import fc from "fast-check";
import { Socks5Negotiation, type Socks5Credentials, type Socks5Step } from "./socks5-negotiation.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const said = (steps: readonly Socks5Step[]): string[] =>
  steps.flatMap(({ reply }) => (reply === undefined ? [] : [Buffer.from(reply).toString("hex")]));
const anna: Socks5Credentials = { user: "anna", password: "geheim" };
const login = (user: string, password: string): Buffer =>
  Buffer.concat([Buffer.of(1, user.length), Buffer.from(user), Buffer.of(password.length), Buffer.from(password)]);

const greeting = hex("05 02 00 02");
const toIpv4 = hex("05 01 00 01 c0000250 0050");
const toIpv6 = hex("05 01 00 04 20010db8000000000000000000000080 01bb");
const toName = Buffer.concat([hex("05 01 00 03 0b"), Buffer.from("example.org"), hex("0050")]);

describe("the negotiation of SOCKS5 (RFC 1928, RFC 1929)", () => {
  for (const [kind, request, destination] of [
    ["an IPv4 address", toIpv4, { host: "192.0.2.80", isName: false, port: 80 }],
    ["an IPv6 address", toIpv6, { host: "2001:db8::80", isName: false, port: 443 }],
    ["a name", toName, { host: "example.org", isName: true, port: 80 }],
  ] as const) {
    it(`comes to ${kind} in whatever pieces it arrives, and keeps what is behind it`, () => {
      const all = Buffer.concat([greeting, request, Buffer.from("GET /")]);
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: all.length - 1 }), { maxLength: 12 }), (cuts) => {
          const negotiation = new Socks5Negotiation();
          const steps: Socks5Step[] = [];
          const edges = [0, ...cuts.sort((a, b) => a - b), all.length];
          for (let i = 1; i < edges.length; i++) steps.push(...negotiation.push(all.subarray(edges[i - 1], edges[i])));
          expect(said(steps)).to.deep.equal(["0500"]);
          expect(steps.at(-1)).to.deep.equal({ destination });
          expect(Buffer.from(negotiation.rest).toString()).to.equal("GET /");
        }),
      );
    });
  }

  it("asks for a name and a password where there are some, and takes the right ones", () => {
    const negotiation = new Socks5Negotiation(anna);
    const steps = negotiation.push(Buffer.concat([greeting, login("anna", "geheim"), toIpv4]));
    expect(said(steps)).to.deep.equal(["0502", "0100"]);
    expect(steps.at(-1)?.destination?.host).to.equal("192.0.2.80");
  });

  it("refuses the wrong ones, and asks nobody further", () => {
    const negotiation = new Socks5Negotiation(anna);
    const steps = negotiation.push(Buffer.concat([greeting, login("anna", "geheimer"), toIpv4]));
    expect(said(steps)).to.deep.equal(["0502", "0101"]);
    expect(steps.at(-1)?.failed).to.equal(true);
    expect(negotiation.push(toIpv4)).to.deep.equal([]);
  });

  for (const [what, bytes, replies] of [
    ["who offers no method that is wanted", hex("05 01 01"), ["05ff"]],
    ["who speaks SOCKS4", hex("04 01 0050 c0000250 00"), []],
    ["BIND", Buffer.concat([greeting, hex("05 02 00 01 c0000250 0050")]), ["0500", "05070001000000000000"]],
    ["UDP ASSOCIATE", Buffer.concat([greeting, hex("05 03 00 01 c0000250 0050")]), ["0500", "05070001000000000000"]],
    [
      "a type of address that nobody knows",
      Buffer.concat([greeting, hex("05 01 00 09 00")]),
      ["0500", "05080001000000000000"],
    ],
    [
      "a name without a letter",
      Buffer.concat([greeting, hex("05 01 00 03 00 0050")]),
      ["0500", "05080001000000000000"],
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      const steps = new Socks5Negotiation().push(bytes);
      expect(said(steps)).to.deep.equal(replies);
      expect(steps.at(-1)?.failed).to.equal(true);
    });
  }

  it("ends, or waits for more, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, withPassword) => {
        const steps = new Socks5Negotiation(withPassword ? anna : undefined).push(Buffer.concat([greeting, bytes]));
        expect(steps.filter(({ failed }) => failed === true).length).to.be.lessThan(2);
        if (withPassword) expect(steps.some(({ destination }) => destination !== undefined)).to.equal(false);
      }),
    );
  });
});
