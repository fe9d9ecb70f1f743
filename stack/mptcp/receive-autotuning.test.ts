import { expect } from "chai";
import { makePair, serverPort, StreamApplication } from "../testing/pair.ts";
import type { PipeOptions } from "../testing/network.ts";
import type { HostOptions } from "../host-options.ts";
import { ReceiveAutotuning } from "./receive-autotuning.ts";

const second = 1_000_000;
const buffer = 6 * 1024 * 1024;

interface Download {
  /** Kilobytes of window limit at the end of each half second. */
  limits: number[];
  received: number;
  heldAtMost: number;
}

/** The client downloads for `seconds`; `readEvery` microseconds it reads at most `readBytes`, if given. */
function download(
  paths: PipeOptions[],
  client: Partial<HostOptions>,
  seconds: number,
  reading?: { every: number; bytes: number },
): Download {
  const pair = makePair({ paths, client, server: { sendBufferBytes: 2 * buffer } });
  const { network, server } = pair;
  const listener = server.listen({ port: serverPort }, network.now);
  listener.onConnection = () => void new StreamApplication(network, listener.accept()!, 1 << 30, false);
  const connection = pair.client.connect({ remoteAddress: "10.0.100.2", remotePort: serverPort }, network.now);
  const application = new StreamApplication(network, connection, 0, false);
  if (reading !== undefined) {
    application.paused = true;
    const read = (): void => {
      connection.read(network.now, reading.bytes);
      network.at(network.now + reading.every, read);
    };
    network.at(network.now + reading.every, read);
  }
  const limits: number[] = [];
  let heldAtMost = 0;
  for (let i = 0; i < 2 * seconds; i++) {
    for (let slice = 0; slice < 25; slice++) {
      network.run(second / 50);
      const { reassemblyQueueBytes, receiveQueueBytes } = connection.info();
      heldAtMost = Math.max(heldAtMost, reassemblyQueueBytes + receiveQueueBytes);
    }
    limits.push(Math.round(connection.reassembly.limit / 1_000));
  }
  return { limits, received: application.received, heldAtMost };
}

const short: PipeOptions = { rate: 10_000_000, delay: 5_000, queueBytes: 25_000 };
const long: PipeOptions = { rate: 12_000_000, delay: 75_000, queueBytes: 225_000 };
const wifiPath: PipeOptions = { rate: 8_000_000, delay: 10_000, queueBytes: 40_000 };
const cellular: PipeOptions = { rate: 6_000_000, delay: 75_000, queueBytes: 150_000 };

describe("receive-buffer autotuning", () => {
  it("gives a window twice what is read in a round trip, and twice that while the sender doubles", () => {
    const tuning = new ReceiveAutotuning(buffer);
    const table: number[] = [];
    let consumed = 0;
    for (const read of [0, 50_000, 100_000, 200_000, 400_000, 400_000, 440_000, 400_000]) {
      consumed += read;
      tuning.onRead(consumed, 100_000, second + table.length * 100_000);
      table.push(tuning.limit);
    }
    expect(table).to.deep.equal([131_072, 200_000, 400_000, 800_000, 1_600_000, 1_600_000, 1_600_000, 1_600_000]);
  });

  it("never exceeds the buffer, and never shrinks", () => {
    const tuning = new ReceiveAutotuning(1_000_000);
    tuning.onRead(0, 10_000, second);
    tuning.onRead(5_000_000, 10_000, second + 10_000);
    expect(tuning.limit).to.equal(1_000_000);
    tuning.onRead(5_000_001, 10_000, second + 20_000);
    expect(tuning.limit).to.equal(1_000_000);
  });

  for (const [name, paths, mptcp] of [
    ["a short path", [short], false],
    ["a long fat path", [long], false],
    ["a long fat path, MPTCP", [long], true],
    ["two unlike paths", [wifiPath, cellular], true],
  ] as [string, PipeOptions[], boolean][]) {
    it(`costs no throughput: ${name}`, () => {
      const tuned = download(paths, { autotune: true, mptcp }, 3);
      const fixed = download(paths, { autotune: false, mptcp }, 3);
      expect(tuned.received / fixed.received).to.be.at.least(0.95);
      expect(fixed.limits.at(-1)).to.equal(Math.round(buffer / 1_000));
    });
  }

  it("needs little where little is under way: windows by half seconds", () => {
    const table = {
      short: download([short], { autotune: true, mptcp: false }, 3).limits,
      long: download([long], { autotune: true, mptcp: false }, 3).limits,
      both: download([wifiPath, cellular], { autotune: true }, 3).limits,
    };
    expect(table).to.deep.equal({
      short: [139, 139, 139, 139, 139, 139],
      long: [131, 224, 1051, 1051, 1051, 1986],
      both: [131, 987, 987, 987, 3244, 3244],
    });
  });

  it("gives an application that reads slowly no more than it can use", () => {
    const { limits, heldAtMost } = download([long], { autotune: true }, 10, { every: 100_000, bytes: 10_000 });
    expect(limits.at(-1)).to.equal(131);
    expect(heldAtMost).to.be.at.most(131_072);
  });

  it("holds less out of order than a fixed buffer, on paths that are unlike", () => {
    const tuned = download([wifiPath, cellular], { autotune: true }, 5);
    expect(tuned.heldAtMost).to.be.below(buffer / 2);
  });
});
