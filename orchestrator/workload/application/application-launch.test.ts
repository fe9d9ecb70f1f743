import { expect } from "chai";
import type { EndpointNode } from "../endpoint-launch.ts";
import { gatewayCommand, programCommand } from "./application-launch.ts";

const programs = { node: "/opt/node", endpoint: "/opt/endpoint.mjs", videoCache: "/opt/videos" };
const curl = {
  argv: ["curl", "http://10.0.5.2:5001/"] as const,
  environment: { LANG: "C" },
  directory: "/tmp/pl-00aa-download-client",
  logs: [],
};

function host(rest: Partial<EndpointNode>): EndpointNode {
  return {
    name: "phone",
    interfaces: [
      {
        name: "wifi0",
        mac: "02:00:00:00:00:01",
        address: "10.0.1.2",
        prefixLength: 24,
        mtu: 1500,
        gateway: "10.0.1.1",
      },
    ],
    routes: [],
    sourceRoutes: [],
    endpoint: {
      kind: "pathlab",
      congestionControl: "olia",
      scheduler: "min-rtt",
      pathManager: "full-mesh",
      sendBufferBytes: 1000,
      receiveBufferBytes: 2000,
      backupInterfaces: [],
    },
    ...rest,
  } as unknown as EndpointNode;
}

describe("programs of an application", () => {
  it("are started as they are, in their directory; the kernel's MPTCP is given to them by mptcpize", () => {
    for (const kind of ["pathlab", "pathlab-tcp", "linux-tcp"] as const) {
      const { argv, environment, directory } = programCommand("download-client", kind, curl);
      expect({ argv, environment, directory }).to.deep.equal({
        argv: curl.argv,
        environment: curl.environment,
        directory: curl.directory,
      });
    }
    expect(programCommand("download-client", "linux-mptcp", curl).argv).to.deep.equal([
      "mptcpize",
      "run",
      ...curl.argv,
    ]);
  });
});

describe("the gateway of a host", () => {
  const hostOf = (argv: readonly string[]): unknown => JSON.parse(argv[argv.indexOf("--host") + 1]!);

  it("takes connections from the device and has the host's own settings", () => {
    const tun = { name: "pathlab0", address: "198.18.0.1", destinations: ["10.0.5.2"] };
    const { argv } = gatewayCommand(host({ gateway: { tun } }), programs, 100_000)!;
    expect(argv.slice(0, 8)).to.deep.equal([
      ...["/opt/node", "/opt/endpoint.mjs", "gateway"],
      ...["--direct", "--tun", "pathlab0", "--observe", "100"],
    ]);
    expect(hostOf(argv)).to.deep.include({ mptcp: true, congestionControl: "olia", sendBufferBytes: 1000 });
  });

  it("hands connections to the local ports, and speaks plain TCP where the endpoint does", () => {
    const endpoint = { ...host({}).endpoint, kind: "pathlab-tcp" as const };
    const node = host({ endpoint, gateway: { servers: { ports: [5001, 5002], address: "127.0.0.1" } } });
    const { argv } = gatewayCommand(node, programs, 100_000)!;
    expect(argv.slice(3, 9)).to.deep.equal(["--forward", "5001", "--forward", "5002", "--to", "127.0.0.1"]);
    expect(hostOf(argv)).to.deep.include({ mptcp: false });
  });

  it("is given modules of algorithms on its standard input", () => {
    const scheduler = { path: "./mine.ts", sha256: "00", javascript: "export const scheduler = () => ({});" };
    const endpoint = { ...host({}).endpoint, modules: { scheduler } };
    const tun = { name: "pathlab0", address: "198.18.0.1", destinations: ["10.0.5.2"] };
    const { argv, input } = gatewayCommand(host({ endpoint, gateway: { tun } }), programs, 100_000)!;
    expect(argv.at(-1)).to.equal("--algorithms-on-stdin");
    expect(JSON.parse(input)).to.deep.equal({ scheduler: scheduler.javascript });
    expect(gatewayCommand(host({ gateway: { tun } }), programs, 100_000)).to.include({ input: "" });
  });

  it("is not there where the plan has none", () => {
    expect(gatewayCommand(host({}), programs, 100_000)).to.equal(undefined);
  });
});
