import { expect } from "chai";
import type { PlannedBulk } from "../plan/plan.ts";
import { endpointCommand, startCommand, workloadDescription, type EndpointNode } from "./endpoint-launch.ts";

function node(kind: EndpointNode["endpoint"]["kind"]): EndpointNode {
  const base = { prefixLength: 24, mtu: 1500, offload: false, kernelAddress: false };
  return {
    name: "phone",
    kind: "host",
    systemName: "pl-0001-phone",
    interfaces: [
      { ...base, name: "wlan0", link: "wifi", mac: "02:00:00:00:00:01", address: "10.1.0.2", gateway: "10.1.0.1" },
      { ...base, name: "wwan0", link: "3g", mac: "02:00:00:00:00:02", address: "10.2.0.2" },
      { ...base, name: "lan0", link: "home", mac: "02:00:00:00:00:03", address: "10.3.0.2", offload: true },
    ],
    routes: [{ destination: "default", via: "10.1.0.1", interface: "wlan0" }],
    sourceRoutes: [
      { from: "10.2.0.2", table: 102, routes: [{ destination: "default", via: "10.2.0.1", interface: "wwan0" }] },
    ],
    sysctls: {},
    endpoint: {
      kind,
      congestionControl: "lia",
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      sendBufferBytes: 1000,
      receiveBufferBytes: 2000,
      backupInterfaces: ["wwan0"],
    },
    reason: "test",
  };
}

const programs = { node: "/opt/node", endpoint: "/opt/endpoint.mjs", videoCache: "/opt/videos" };

const shared = {
  name: "t",
  client: "phone",
  server: "server",
  serverAddress: "10.9.0.2",
  port: 5001,
  startMicroseconds: 0,
  payloadSeed: 3,
};
const transfers = {
  base: { ...shared, kind: "bulk", from: "server", to: "phone", sizeBytes: 10 },
  question: {
    ...shared,
    kind: "request-response",
    requestBytes: 750,
    responseBytes: 750,
    intervalMicroseconds: 400_000,
    count: 3,
  },
} as const;

describe("endpoint launch", () => {
  it("runs the kernel's MPTCP under mptcpize and the others as they are", () => {
    expect(endpointCommand(node("linux-mptcp"), programs).argv).to.deep.equal([
      "mptcpize",
      "run",
      "/opt/node",
      "/opt/endpoint.mjs",
    ]);
    expect(endpointCommand(node("linux-tcp"), programs).argv).to.deep.equal(["/opt/node", "/opt/endpoint.mjs"]);
    expect(startCommand(node("linux-tcp"), 1, 100_000).transport).to.deep.equal({ kind: "kernel" });
  });

  it("makes our stack's host of the plan: next hops, backup flags, offload", () => {
    const { transport } = startCommand(node("pathlab"), 1, 100_000);
    if (transport.kind !== "stack") throw new Error("not a stack");
    const { interfaces, ...rest } = transport.options;
    expect(rest).to.deep.equal({
      name: "phone",
      mptcp: true,
      congestionControl: "lia",
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      sendBufferBytes: 1000,
      receiveBufferBytes: 2000,
    });
    expect(interfaces.map(({ name, gateway, backup, gso }) => [name, gateway, backup, gso])).to.deep.equal([
      ["wlan0", "10.1.0.1", false, false],
      ["wwan0", "10.2.0.1", true, false],
      ["lan0", undefined, false, true],
    ]);
    expect(interfaces[0]).to.deep.include({
      mac: "02:00:00:00:00:01",
      mtu: 1500,
      addresses: [{ address: "10.1.0.2", prefixLength: 24 }],
    });
  });

  it("hands on what the experiment chooses, and nothing that it leaves open", () => {
    const chosen = node("pathlab");
    const options = { autotune: true, pacing: false, synCookies: "always", closeTimeoutMicroseconds: 5e6 } as const;
    const { transport } = startCommand({ ...chosen, endpoint: { ...chosen.endpoint, options } }, 1, 100_000);
    if (transport.kind !== "stack") throw new Error("not a stack");
    expect(transport.options).to.deep.include({
      autotune: true,
      closeTimeoutMicroseconds: 5e6,
      tcp: { pacing: false, synCookies: "always" },
    });
    expect(transport.options).not.to.have.any.keys("pacing", "synCookies", "penalisation");
  });

  it("switches Nagle's algorithm off for questions and answers alone, unless told", () => {
    const { base, question } = transfers;
    expect(workloadDescription(base)).to.include({ noDelay: false });
    expect(workloadDescription(question)).to.include({ noDelay: true });
    expect(workloadDescription({ ...question, noDelay: false })).to.include({ noDelay: false });
  });

  it("gives each host random numbers of its own, the same for the same seed", () => {
    const seedOf = (name: string, seed: number): number => {
      const { transport } = startCommand({ ...node("pathlab"), name }, seed, 1);
      return transport.kind === "stack" ? transport.seed : -1;
    };
    expect(new Set([seedOf("phone", 1), seedOf("server", 1), seedOf("phone", 2)])).to.have.property("size", 3);
    expect(seedOf("phone", 1)).to.equal(seedOf("phone", 1));
  });

  it("says which side sends", () => {
    const bulk: PlannedBulk = {
      kind: "bulk",
      name: "b",
      client: "phone",
      server: "server",
      from: "server",
      to: "phone",
      serverAddress: "10.9.0.2",
      port: 5001,
      startMicroseconds: 0,
      payloadSeed: 3,
      sizeBytes: 10,
    };
    expect(workloadDescription(bulk)).to.deep.equal({
      kind: "bulk",
      name: "b",
      serverAddress: "10.9.0.2",
      port: 5001,
      payloadSeed: 3,
      noDelay: false,
      sender: "server",
      sizeBytes: 10,
    });
    expect(workloadDescription({ ...bulk, from: "phone" })).to.include({ sender: "client" });
  });
});
