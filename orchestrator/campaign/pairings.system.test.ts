/** Every kind of endpoint as client and as server: what the wire and the kernel say came of it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { CountersRecord } from "../bundle/records.ts";
import { verifyBundle } from "../bundle/verify-bundle.ts";
import { endpointKinds } from "../model/experiment.ts";
import type { EndpointKind } from "../model/experiment.ts";
import type { WireAnalysis } from "../verdict/capture-analysis/wire-analysis.ts";
import { makeDirectory, runShortly } from "./short-run.fixture.ts";
import type { ShortRun } from "./short-run.fixture.ts";

function read(directory: string, name: string): unknown {
  return JSON.parse(readFileSync(join(directory, name), "utf8"));
}

function isPlainTcp(kind: EndpointKind): boolean {
  return kind === "linux-tcp" || kind === "pathlab-tcp";
}

async function expectPairing(
  directory: string,
  run: ShortRun & { client: EndpointKind; server: EndpointKind },
): Promise<void> {
  const outcome = await runShortly(directory, run);
  expect(outcome.error).to.equal(undefined);
  expect(outcome.verdict.outcome, JSON.stringify(outcome.verdict)).to.equal("passed");
  expect(await verifyBundle(outcome.directory))
    .to.have.property("problems")
    .that.deep.equals([]);
  const { connections } = read(outcome.directory, "wire.json") as WireAnalysis;
  expect(connections).to.have.length(1);
  const [connection] = connections;
  const established = connection!.subflows.filter((subflow) => subflow.established);
  if (isPlainTcp(run.client)) {
    expect(connection!.multipath).to.equal("not-offered");
    expect(established.map(({ path }) => path)).to.deep.equal(["wifi"]);
  } else if (isPlainTcp(run.server)) {
    expect(connection!.multipath).to.equal("fell-back");
    expect(established.map(({ path }) => path)).to.deep.equal(["wifi"]);
  } else {
    expect(connection!.multipath).to.equal("negotiated");
    expect(established.map(({ path }) => path)).to.have.members(["wifi", "3g"]);
    expect(established.filter(({ initial }) => !initial).every(({ authenticated }) => authenticated)).to.equal(true);
    expect(established.every(({ toClient }) => toClient.payloadBytes > 0)).to.equal(true);
  }
  expectKernelCounters(read(outcome.directory, "counters.json") as CountersRecord, run);
}

/** The kernel's own word (linux-peer.md): the join counted, and none of what would show a broken peer. */
function expectKernelCounters(
  counters: CountersRecord,
  { client, server }: { client: EndpointKind; server: EndpointKind },
): void {
  const multipath = !isPlainTcp(client) && !isPlainTcp(server);
  const mptcp = (host: string, counter: string): number => counters[host]?.[`MPTcpExt.${counter}`] ?? 0;
  if (multipath && server === "linux-mptcp") expect(mptcp("server", "MPJoinAckRx")).to.equal(1);
  if (multipath && client === "linux-mptcp") expect(mptcp("phone", "MPJoinSynAckRx")).to.equal(1);
  for (const host of ["phone", "server"]) {
    for (const trap of [
      "Blackhole",
      "MPCapableSYNTXDisabled",
      "DataCsumErr",
      "MPJoinAckHMacFailure",
      "MPJoinSynAckHMacFailure",
      "MPFailTx",
      "DSSCorruptionReset",
    ]) {
      expect(mptcp(host, trap), `${host}: ${trap}`).to.equal(0);
    }
    if (multipath) expect(mptcp(host, "DssFallback"), `${host}: DssFallback`).to.equal(0);
  }
}

describe("a run", () => {
  let directory: ReturnType<typeof makeDirectory>;
  before(() => {
    directory = makeDirectory();
  });
  after(() => directory.remove());

  for (const client of endpointKinds) {
    for (const server of endpointKinds) {
      it(`on namespaces from a ${client} client to a ${server} server`, () =>
        expectPairing(directory.path, { substrate: "namespaces", client, server }));
    }
  }

  for (const [client, server] of [
    ["pathlab", "pathlab"],
    ["linux-mptcp", "pathlab"],
    ["pathlab", "linux-mptcp"],
    ["linux-mptcp", "linux-mptcp"],
  ] as const) {
    it(`on namespaces over IPv6 from a ${client} client to a ${server} server`, () =>
      expectPairing(directory.path, { substrate: "namespaces", addressing: "ipv6", client, server }));
  }

  for (const [client, server, family] of [
    ["pathlab", "pathlab", "ipv4"],
    ["pathlab", "pathlab", "ipv6"],
    ["pathlab", "linux-mptcp", "ipv4"],
    ["linux-mptcp", "pathlab", "ipv6"],
  ] as const) {
    it(`on namespaces, IPv4 on one path and IPv6 on the other, connected over ${family}, from a ${client} client to a ${server} server`, () =>
      expectPairing(directory.path, { substrate: "namespaces", addressing: "mixed", family, client, server }));
  }

  it("in containers, IPv4 on one path and IPv6 on the other", () =>
    expectPairing(directory.path, {
      substrate: "containers",
      addressing: "mixed",
      family: "ipv6",
      client: "linux-mptcp",
      server: "linux-mptcp",
    }));
  it("in containers over IPv6 from our stack to the kernel's MPTCP", () =>
    expectPairing(directory.path, {
      substrate: "containers",
      addressing: "ipv6",
      client: "pathlab",
      server: "linux-mptcp",
    }));
  it("in containers between our stacks", () =>
    expectPairing(directory.path, { substrate: "containers", client: "pathlab", server: "pathlab" }));
  it("in containers between our stack and the kernel's MPTCP", () =>
    expectPairing(directory.path, { substrate: "containers", client: "linux-mptcp", server: "pathlab" }));
});
