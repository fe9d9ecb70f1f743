import { expect } from "chai";
import { SyntheticConnection } from "../fixture/synthetic-connection.ts";
import type { SyntheticOptions, SyntheticPath } from "../fixture/synthetic-connection.ts";
import { mpCapable } from "../fixture/frame-builder.ts";
import { bulkWorkload, phoneAddresses, serverAddress, twoPathPlan } from "../fixture/two-path-plan.ts";
import { analyseFrames } from "./analyse-frames.ts";
import type { WireFrame } from "./analyse-frames.ts";
import { initialDataSequenceNumber } from "./connection-keys.ts";
import { dss } from "../fixture/frame-builder.ts";
import type { WireConnection } from "./wire-analysis.ts";

const wifi: SyntheticPath = {
  client: `${phoneAddresses.wifi}:40000`,
  server: `${serverAddress}:5001`,
  oneWayMicroseconds: 10_000,
};
const threeG: SyntheticPath = {
  client: `${phoneAddresses["3g"]}:40001`,
  server: `${serverAddress}:5001`,
  oneWayMicroseconds: 75_000,
};
const zeroEpochMicroseconds = 1_700_000_000_000_000;

function connection(options: Partial<SyntheticOptions> = {}): SyntheticConnection {
  return new SyntheticConnection({
    clientHost: "phone",
    serverHost: "server",
    multipath: true,
    zeroEpochMicroseconds,
    ...options,
  });
}

async function analyse(frames: readonly WireFrame[]): Promise<WireConnection> {
  const { connections } = await analyseFrames(frames, twoPathPlan(), zeroEpochMicroseconds, () => ({ lostFrames: 0 }));
  expect(connections).to.have.length(1);
  return connections[0]!;
}

/** The server sends `count` segments of 1000 bytes in turns over both paths, 10 ms apart. */
function sendInTurns(synthetic: SyntheticConnection, count: number): void {
  for (let index = 0; index < count; index++) {
    const path = index % 2 === 0 ? wifi : threeG;
    const sentAt = 1_000_000 + index * 10_000;
    synthetic.data({
      path,
      from: "server",
      sentAt,
      arrivedAt: sentAt + path.oneWayMicroseconds,
      dataOffset: index * 1000,
      length: 1000,
    });
  }
}

describe("the judge's reading of a capture", () => {
  for (const dataSequenceBits of [32, 64] as const) {
    it(`puts one stream together from two subflows, data sequence numbers of ${dataSequenceBits} bits`, async () => {
      const synthetic = connection({ dataSequenceBits });
      synthetic.open(wifi, 0);
      synthetic.join(threeG, 100_000);
      sendInTurns(synthetic, 100);
      synthetic.close(wifi, 3_000_000);
      const { multipath, fallback, subflows, toClient, toServer } = await analyse(synthetic.frames());
      expect(multipath).to.equal("negotiated");
      expect(fallback).to.equal(undefined);
      expect(
        subflows.map(({ path, initial, established, authenticated }) => ({
          path,
          initial,
          established,
          authenticated,
        })),
      ).to.deep.equal([
        { path: "wifi", initial: true, established: true, authenticated: undefined },
        { path: "3g", initial: false, established: true, authenticated: true },
      ]);
      expect(subflows.map((subflow) => subflow.toClient.payloadBytes)).to.deep.equal([50_000, 50_000]);
      expect(subflows[0]!.closedBy).to.equal("fin");
      expect(toClient.bytes).to.equal(100_000);
      expect(toClient.bytesBehindHole).to.equal(0);
      expect(toServer.bytes).to.equal(0);
      expect(toClient.openedAt).to.equal(20_000);
      expect(toClient.lastAt).to.equal(1_990_000 + 75_000);
      expect(toClient.goodputBitsPerSecond).to.be.closeTo(800_000 / 2.045, 1);
      expect(toClient.progress.reduce((sum, bytes) => sum + bytes, 0)).to.equal(100_000);
    });
  }

  it("measures the gap at the receiver, where a loss holds up what came after it", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    const send = (index: number, sentAt: number, lost: boolean): void =>
      synthetic.data({
        path: wifi,
        from: "server",
        sentAt,
        arrivedAt: lost ? undefined : sentAt + 10_000,
        dataOffset: index * 1000,
        subflowOffset: index * 1000,
        length: 1000,
      });
    for (let index = 0; index < 10; index++) send(index, 100_000 + index * 1000, index === 4);
    send(4, 700_000, false);
    const { subflows, toClient } = await analyse(synthetic.frames());
    expect(toClient.bytes).to.equal(10_000);
    expect(toClient.longestGapMicroseconds).to.equal(710_000 - 113_000);
    expect(toClient.longestGapAt).to.equal(113_000);
    expect(subflows[0]!.toClient).to.include({
      payloadBytes: 10_000,
      retransmissions: 1,
      retransmittedBytes: 1000,
      reinjectedBytes: 0,
    });
  });

  it("tells bytes sent again over another subflow from retransmissions", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    synthetic.join(threeG, 50_000);
    const bytes = { from: "server", dataOffset: 0, length: 1000 } as const;
    synthetic.data({ ...bytes, path: wifi, sentAt: 400_000, arrivedAt: undefined });
    synthetic.data({ ...bytes, path: threeG, sentAt: 800_000, arrivedAt: 875_000 });
    const { subflows, toClient } = await analyse(synthetic.frames());
    expect(toClient.bytes).to.equal(1000);
    expect(subflows.map((subflow) => subflow.toClient.reinjectedBytes)).to.deep.equal([0, 1000]);
    expect(subflows.map((subflow) => subflow.toClient.retransmissions)).to.deep.equal([0, 0]);
  });

  it("places the bytes of a join whose first segments are lost and come last", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    synthetic.join(threeG, 50_000);
    const send = (index: number, sentAt: number, lost: boolean): void =>
      synthetic.data({
        path: threeG,
        from: "client",
        sentAt,
        arrivedAt: lost ? undefined : sentAt + 75_000,
        dataOffset: index * 1000,
        subflowOffset: index * 1000,
        length: 1000,
      });
    for (let index = 0; index < 10; index++) send(index, 400_000 + index * 1000, index < 7);
    for (let index = 0; index < 7; index++) send(index, 800_000 + index * 1000, false);
    const { subflows, toServer } = await analyse(synthetic.frames());
    expect(subflows[1]!.toServer).to.include({ payloadBytes: 10_000, retransmissions: 7, reinjectedBytes: 0 });
    expect(toServer).to.include({ bytes: 10_000, bytesBehindHole: 0, firstAt: 875_000, lastAt: 881_000 });
  });

  it("sees a fallback where the SYN/ACK has no MP_CAPABLE, and follows the bytes by sequence number", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0, { synAckOptions: [], ackOptions: [] });
    synthetic.data({
      path: wifi,
      from: "server",
      sentAt: 100_000,
      arrivedAt: 110_000,
      dataOffset: 0,
      length: 1400,
      options: [],
    });
    const { multipath, fallback, toClient } = await analyse(synthetic.frames());
    expect(multipath).to.equal("fell-back");
    expect(fallback).to.deep.equal({ at: 10_000, host: "server", reason: "the SYN/ACK came without MP_CAPABLE" });
    expect(toClient.bytes).to.equal(1400);
  });

  it("sees a fallback where options vanish after the handshake", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    for (let index = 0; index < 3; index++) {
      const sentAt = 100_000 + index * 1000;
      synthetic.data({
        path: wifi,
        from: "server",
        sentAt,
        arrivedAt: sentAt + 10_000,
        dataOffset: index * 1000,
        length: 1000,
        options: [],
      });
    }
    const { multipath, fallback, toClient } = await analyse(synthetic.frames());
    expect(multipath).to.equal("fell-back");
    expect(fallback).to.deep.equal({ at: 100_000, host: "server", reason: "data came without a DSS mapping" });
    expect(toClient.bytes).to.equal(3000);
    expect(toClient.lastAt).to.equal(112_000);
  });

  it("sees a fallback by an infinite mapping and goes on counting", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    const base = initialDataSequenceNumber(synthetic.serverKey) + 1n;
    const infinite = dss({ dataSequence: base + 1000n, bits: 64, subflowSequence: 1001, length: 0 });
    const send = (index: number, options?: Buffer[]): void => {
      const sentAt = 100_000 + index * 1000;
      synthetic.data({
        path: wifi,
        from: "server",
        sentAt,
        arrivedAt: sentAt + 10_000,
        dataOffset: index * 1000,
        length: 1000,
        ...(options === undefined ? {} : { options }),
      });
    };
    send(0);
    send(1, [infinite]);
    send(2, []);
    const { fallback, toClient } = await analyse(synthetic.frames());
    expect(fallback?.reason).to.equal("an infinite mapping");
    expect(toClient.bytes).to.equal(3000);
  });

  it("does not believe a join whose HMAC is wrong", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    synthetic.join(threeG, 100_000, { forged: true });
    const { subflows } = await analyse(synthetic.frames());
    expect(subflows.map(({ authenticated }) => authenticated)).to.deep.equal([undefined, false]);
  });

  it("lets one mapping span several segments, some of which carry no option", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    const mapping = synthetic.mapping("server", 0, 0, 3000);
    for (let index = 0; index < 3; index++) {
      const sentAt = 100_000 + index * 1000;
      const options = index === 1 ? [mapping] : [];
      synthetic.data({
        path: wifi,
        from: "server",
        sentAt,
        arrivedAt: sentAt + 10_000,
        dataOffset: index * 1000,
        length: 1000,
        options,
      });
    }
    const { multipath, toClient } = await analyse(synthetic.frames());
    expect(multipath).to.equal("negotiated");
    expect(toClient.bytes).to.equal(3000);
  });

  it("takes the mapping that MP_CAPABLE with data implies", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    const options = [mpCapable.data(synthetic.clientKey, synthetic.serverKey, 500)];
    synthetic.data({
      path: wifi,
      from: "client",
      sentAt: 100_000,
      arrivedAt: 110_000,
      dataOffset: 0,
      length: 500,
      options,
    });
    const { toServer } = await analyse(synthetic.frames());
    expect(toServer.bytes).to.equal(500);
  });

  it("follows plain TCP across the wrap of its sequence numbers", async () => {
    const synthetic = connection({ multipath: false, initialSequence: 0xffffff00 });
    synthetic.open(wifi, 0);
    for (let index = 0; index < 5; index++) {
      const sentAt = 100_000 + index * 1000;
      synthetic.data({ path: wifi, from: "server", sentAt, arrivedAt: sentAt + 10_000, dataOffset: 0, length: 60_000 });
    }
    const { multipath, fallback, toClient, subflows } = await analyse(synthetic.frames());
    expect(multipath).to.equal("not-offered");
    expect(fallback).to.equal(undefined);
    expect(toClient.bytes).to.equal(300_000);
    expect(subflows[0]!.toClient.retransmissions).to.equal(0);
  });

  it("passes over what it cannot read", async () => {
    const synthetic = connection();
    synthetic.open(wifi, 0);
    const noise = [Buffer.alloc(0), Buffer.alloc(60, 0xff), buildArp()].map((bytes) => ({
      host: "phone",
      epochMicroseconds: zeroEpochMicroseconds,
      bytes,
      wireLength: bytes.length,
    }));
    const analysis = await analyseFrames(
      [...noise, ...synthetic.frames()],
      twoPathPlan(),
      zeroEpochMicroseconds,
      () => ({ lostFrames: 7 }),
    );
    expect(analysis.capture).to.deep.equal({ frames: 9, tcpFrames: 6, lostFrames: 7 });
    expect(analysis.connections[0]!.workload).to.equal(bulkWorkload.name);
  });
});

function buildArp(): Buffer {
  const frame = Buffer.alloc(42);
  frame.writeUInt16BE(0x0806, 12);
  return frame;
}
