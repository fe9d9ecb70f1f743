import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { runScript } from "./interpreter.ts";
import { ScriptFailure, ScriptSyntaxError, ScriptUnsupported } from "./script-error.ts";

const established = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000, nop, wscale 0>
+0 > S. 0:0(0) ack 1 <mss 1460, nop, wscale 7>
+0.01 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
`;

/** What the run of a script throws. */
async function thrownBy(text: string, file = "t.pkt"): Promise<unknown> {
  try {
    await runScript(text, file);
  } catch (error) {
    return error;
  }
  throw new Error(`the script passes:\n${text}`);
}

async function failure(text: string): Promise<string> {
  const error = await thrownBy(text);
  if (error instanceof ScriptFailure) return error.message;
  throw error;
}

describe("a script that does not hold", () => {
  it("says what was expected and what came, in its own notation, with the place", async () => {
    expect(await failure(`${established}+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 2 win 5 <nop, nop>`)).to.equal(
      [
        "t.pkt:9:4: the host sent another packet",
        "  expected: > P. 1:11(10) ack 2 win 5 <nop, nop>",
        "  actual:   > P. 1:11(10) ack 1 win 49152",
        "  ack: expected 2, actual 1",
        "  win: expected 5, actual 49152",
        "  options: expected <nop, nop>, actual <>",
      ].join("\n"),
    );
  });

  it("fails when a packet does not come", async () => {
    expect(await failure(`${established}+0 > . 1:1(0) ack 1`)).to.match(
      /^t\.pkt:8:4: the packet did not come by 0\.014 s/,
    );
  });

  it("fails when a packet comes at another time", async () => {
    expect(await failure(`${established}+0 write(4, ..., 10) = 10\n+0.1 > P. 1:11(10) ack 1`)).to.match(
      /another time\n {2}expected: 0\.110000 s\n {2}actual: {3}0\.010000 s$/,
    );
  });

  it("fails when the host sends what the script does not speak of", async () => {
    expect(await failure(`${established}+0 write(4, ..., 10) = 10`)).to.match(
      /does not expect, at 0\.01 s\n {2}actual: {3}> P\. 1:11\(10\) ack 1 win 49152$/,
    );
  });

  it("fails when a call gives another result, another error, or would block", async () => {
    expect(await failure(`${established}+0 write(4, ..., 10) = 11`)).to.match(
      /write gave another result\n {2}expected: 11\n {2}actual: {3}10$/,
    );
    expect(
      await failure(`${established}+0 fcntl(4, F_SETFL, O_NONBLOCK) = 0\n+0 read(4, ..., 10) = -1 ECONNRESET`),
    ).to.match(/expected: -1 ECONNRESET\n {2}actual: {3}-1 EAGAIN$/);
    expect(await failure(`${established}+0 read(4, ..., 10) = 10`)).to.equal("t.pkt:8:4: read would block");
    expect(await failure(`${established}+0...0.5 read(4, ..., 10) = 10\n+1 fcntl(4, F_GETFL) = 2`)).to.match(
      /^t\.pkt:8:10: read has not returned/,
    );
  });

  it("fails when an assertion does not hold, and tells the values", async () => {
    expect(await failure(`${established}+0 %{ assert tcpi_snd_cwnd == 3 and True }%`)).to.equal(
      "t.pkt:8:1: assertion does not hold: tcpi_snd_cwnd == 3 and True (tcpi_snd_cwnd is 10)",
    );
  });
});

describe("what a script may ask and this machine does not do", () => {
  const cases: [string, RegExp][] = [
    ["`../common/defaults.sh`\n", /unsupported: the command "\.\.\/common\/defaults\.sh"$/],
    ["--ip_version=ipv4-mapped-ipv6\n", /unsupported: --ip_version=ipv4-mapped-ipv6$/],
    [`${established}+0 < [tos 0x8] . 1:1(0) ack 1 win 9`, /unsupported: IP header \[tos 0x8\]$/],
    [`${established}+0 < icmp unreachable frag_needed mtu 1400 [1:1(0)]`, /unsupported: icmp$/],
    [`${established}+0 epoll_create(1) = 5`, /unsupported: the call epoll_create$/],
    [`${established}+0 setsockopt(4, SOL_TCP, TCP_CORK, [1], 4) = 0`, /unsupported: setsockopt TCP_CORK$/],
    [`${established}+0 %{ assert tcpi_sacked == 0 }%`, /unsupported: "tcpi_sacked" in an assertion$/],
    [`${established}+0 %{ import os }%`, /unsupported: the code "import os"$/],
    [`${established}+0 < . 1:1(0) ack 1 win 9 <md5 0123456789abcdef, nop, nop>`, /unsupported: the option md5$/],
    [
      `${established}+0 < . 1:1(0) ack 1 win 9 <dss dack4 nocs>`,
      /unsupported: a data acknowledgement or sequence number that is not written$/,
    ],
    [`${established}+0 < 1234 > 80 . 1:1(0) ack 1 win 9`, /unsupported: endpoint 1234, endpoint 80$/],
    [
      `${established}+0 < . 1:1(0) ack 1 win 9 <dss dack8=trunc_r64_hmac_sha1(2) nocs>`,
      /unsupported: initial data sequence numbers of version 0 \(SHA-1\)$/,
    ],
  ];
  for (const [text, message] of cases) {
    it(`is reported, never passed over: ${message.source}`, async () => {
      const error = await thrownBy(`${text}${text.startsWith("0 ") ? "" : established}`);
      expect(error).to.be.instanceOf(ScriptUnsupported).with.property("message").that.matches(message);
    });
  }

  it("refuses options that cannot stand in a header", async () => {
    const error = await thrownBy(`${established}+0 < . 1:1(0) ack 1 win 9 <nop>`);
    expect(error).to.be.instanceOf(ScriptSyntaxError);
    expect((error as Error).message).to.match(/expected options of a length that 4 divides, found 1 bytes/);
  });
});

describe("a passing script", () => {
  /** What it says of the host's packets is really looked at: any change of a number there makes it fail. */
  it("fails as soon as one number of an expected packet is changed", async () => {
    for (const file of [
      "mptcp/join/accepted.pkt",
      "mptcp/close/our-data-fin.pkt",
      "tcp/receive/blocks-join.pkt",
      "tcp/timestamps/clock.pkt",
    ]) {
      const text = readFileSync(join(import.meta.dirname, "../scripts", file), "utf8");
      await runScript(text, file);
      const lines = text.split("\n");
      let changed = 0;
      for (const [i, line] of lines.entries()) {
        const start = line.indexOf(" > ");
        if (!/^\+?[\d.]+\s+> /.test(line)) continue;
        for (const match of line
          .slice(start)
          .matchAll(/(?<=(?:ack|val|ecr|wscale|mss) |dack4=|dsn4=|dll=|ssn=|sack )\d+/g)) {
          // The first timestamp only says where the host's clock begins; SYNs and the numbers of lines alike stay what they are.
          if (line.includes("S.") && line.slice(0, start + match.index).endsWith("val ")) continue;
          const at = start + match.index;
          const other = `${line.slice(0, at)}${Number(match[0]) + 2}${line.slice(at + match[0].length)}`;
          const mutant = [...lines.slice(0, i), other, ...lines.slice(i + 1)].join("\n");
          await thrownBy(mutant, file);
          changed++;
        }
      }
      expect(changed, file).to.be.greaterThan(4);
    }
  });
});
