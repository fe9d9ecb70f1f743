import { expect } from "chai";
import { readdirSync, readlinkSync } from "node:fs";
import { runScript } from "../interpreter.ts";
import { KernelBackEnd } from "./kernel-back-end.ts";
import { NamespaceProcess } from "./namespace-process.ts";

const established = `0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
+0 bind(3, ..., ...) = 0
+0 listen(3, 1) = 0
+0 < S 0:0(0) win 65535 <mss 1000, nop, wscale 0>
+0 > S. 0:0(0) ack 1 <mss 1460, nop, wscale 7>
+0.01 < . 1:1(0) ack 1 win 65535
+0 accept(3, ..., ...) = 4
`;

/** A machine that is busy makes differences of time: only what comes each time is the kernel's. */
const attempts = 6;

/** The run of `established` and `text` throws what is expected, a message without anything when it passes. */
async function expectFailure(text: string, expected: RegExp): Promise<void> {
  let told = await failure(text);
  for (let i = 1; i < attempts && !expected.test(told); i++) told = await failure(text);
  expect(told).to.match(expected);
}

/** What the run of `established` and `text` throws; "" when it passes. */
async function failure(text: string): Promise<string> {
  try {
    await runScript(`${established}${text}`, "t.pkt", (configuration) => KernelBackEnd.start(configuration));
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

/** Network namespaces in which processes of this machine live. */
function namespaces(): Set<string> {
  const found = new Set<string>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      found.add(readlinkSync(`/proc/${entry}/ns/net`));
    } catch {
      // The process has ended meanwhile.
    }
  }
  return found;
}

describe("the kernel as back end of scripts", function () {
  this.timeout(300_000);

  it("passes what holds, and finds each number that does not", async () => {
    await expectFailure("+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1", /^$/);
    await expectFailure("+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 2", /ack: expected 2, actual 1/);
    await expectFailure("+0 write(4, ..., 10) = 11", /write gave another result/);
    await expectFailure("+0 write(4, ..., 10) = 10", /sent what the script does not expect/);
    await expectFailure("+0 %{ assert tcpi_state == TCP_CLOSE_WAIT }%", /tcpi_state is 1/);
  });

  it("waits in real time for what comes later, and finds what comes too early", async () => {
    const lost = "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1\n";
    await expectFailure(`${lost}+0.2~+0.4 > P. 1:11(10) ack 1`, /^$/);
    await expectFailure(`${lost}+1 > P. 1:11(10) ack 1`, /came at another time/);
  });

  it("has calls that block until something happens", async () => {
    const text = "+0...0.1 read(4, ..., 100) = 10\n+0.09 < P. 1:11(10) ack 1 win 65535\n+0 > . 1:1(0) ack 11";
    await expectFailure(text, /^$/);
    await expectFailure("+0 read(4, ..., 100) = 10", /read would block/);
  });

  it("has a namespace of its own, which is gone when the process is", async () => {
    const started = await NamespaceProcess.start();
    const namespace = readlinkSync(started.namespacePath);
    expect(namespaces()).to.include(namespace);
    expect(namespace).not.to.equal(readlinkSync("/proc/self/ns/net"));
    await started.close();
    expect(namespaces()).not.to.include(namespace);
  });
});
