/** The command line of the gateway. */
import { BlockList, isIP, isIPv6 } from "node:net";
import { parseArgs } from "node:util";
import type { HostOptions } from "../../host-options.ts";
import { UsageError } from "../command/failure.ts";
import { collectInterface, type PathInterface } from "../command/values.ts";
import { parseStatusAddress, type StatusAddress } from "../status/status-address.ts";
import type { Socks5Credentials } from "./socks5-negotiation.ts";

export const usage = `Usage: gateway (--interface NAME=ADDRESS/LENGTH[,…] … | --host JSON)
               (--peer HOST:PORT … | --direct | --converter PORT | --forward PORT …) [option …]

Carries the TCP connections of unmodified applications over Multipath TCP: as client or as server of the Convert Protocol (RFC 8803), or straight
to servers that speak Multipath TCP themselves, and as such a server. --direct and --forward go together.

Both sides
  --interface NAME=ADDRESS/LENGTH[,ADDRESS/LENGTH…][,via=ROUTER…][,backup][,optional]
                          Speak Multipath TCP on this interface, with addresses that the kernel does not have. Repeat it for each path.
                          optional: the interface need not be there yet.
  --tun NAME              A TUN device, made if it is not there. With --peer: what is routed into it is carried. With --converter: servers are
                          connected to through it, and see the applications' own addresses (the client needs --tell-source).
  --congestion-control N  lia (default), olia, balia, wvegas, ewtcp, fully-coupled, reno, cubic, or ./FILE: a module of one's own
  --scheduler NAME        min-rtt (default), round-robin, redundant, blest, ecf, or ./FILE
  --no-offload            The interfaces neither cut segments nor fill in checksums.
  --host JSON             Instead of the above but --tun: the whole host on the paths, with the fields of stack/host-options.ts.
  --algorithms-on-stdin   With --host: algorithms of one's own, as JSON on standard input: congestionControl, scheduler or pathManager, and the
                          text of an ES module that exports what makes it under that name. They take the place of the host's.
  --observe MILLISECONDS  Records also have the state of each connection on the paths at this interval, and what the stack decides.
  --status ADDRESS        Serve metrics (Prometheus) and state (JSON) on a file's path, a port of 127.0.0.1, or HOST:PORT.

The applications' side
  --peer HOST:PORT        The converter. IPv6 in brackets. Repeat it for each address that it has, the best first; others it tells itself.
  --direct                Instead of --peer: connect to the servers themselves, by Multipath TCP where they speak it and TCP where not.
  --fast-open             Ask in the SYN (TCP Fast Open): saves half a round trip. A server may see a connection twice that is used once.
  --socks HOST:PORT       Also take SOCKS5 (RFC 1928) there.
  --socks-user NAME:PASSWORD
                          Only from who knows this (RFC 1929).
  --tell-source           Tell the converter who the application is. Only a converter of ours understands it.

The servers' side
  --converter PORT        Listen there on every address of the interfaces.
  --forward PORT          Instead of --converter: take connections of whoever speaks Multipath TCP or TCP on this port, and hand them to the same
                          port of --to (default 127.0.0.1). Repeat it for more ports.
  --to ADDRESS            Connect to this address instead of the one that is asked for; the port stays.
  --allow PREFIX          Connect only to destinations in this prefix; repeat it for more. Default: all.
  --cookies               Only serve clients that prove to receive what is sent to their address (RFC 8803 §6.2.7).
  --proxy-protocol        Begin each connection to a server with a header of PROXY protocol 2 (the client needs --tell-source).

Records go to stdout as NDJSON. SIGTERM or SIGINT ends the gateway; connections are reset.
`;

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** The host on the paths, whole; where it gets its random numbers from is the program's business. */
export type PathHost = Omit<HostOptions, "random">;

export interface GatewayOptions {
  /** Takes the place of interfaces, algorithms and offload. */
  readonly host: PathHost | undefined;
  /** The host's algorithms are, in part, in modules of one's own. */
  readonly algorithmsOnStdin: boolean;
  readonly interfaces: readonly PathInterface[];
  readonly tun: string | undefined;
  readonly status: StatusAddress | undefined;
  /** Of samples of connections; undefined: there are none, and no events. */
  readonly observeMicroseconds: number | undefined;
  readonly congestionControl: string;
  readonly scheduler: string;
  readonly offload: boolean;
  /** Addresses of the converter; none: this is one, or goes without. */
  readonly peers: readonly HostAndPort[];
  /** Applications are carried to the servers themselves. */
  readonly direct: boolean;
  /** Ports of servers that the kernel of this machine reaches. */
  readonly forwardPorts: readonly number[];
  readonly fastOpen: boolean;
  readonly socks: HostAndPort | undefined;
  readonly credentials: Socks5Credentials | undefined;
  readonly tellSource: boolean;
  readonly converterPort: number | undefined;
  readonly toAddress: string | undefined;
  readonly allowed: BlockList | undefined;
  readonly proxyProtocol: boolean;
  readonly cookies: boolean;
}

/** @throws UsageError */
export function parseGatewayOptions(argv: readonly string[]): GatewayOptions {
  const values = parsed(argv);
  const interfaces = (values.interface ?? []).reduce(withInterface, []);
  const host = values.host === undefined ? undefined : parseHost(values.host);
  if (host !== undefined) {
    const described = ["interface", "congestion-control", "scheduler", "no-offload"].find((name) => name in values);
    if (described !== undefined) throw new UsageError(`--${described}: --host says it already`);
  } else if (values["algorithms-on-stdin"] === true) {
    throw new UsageError("--algorithms-on-stdin: it goes with --host");
  } else if (interfaces.length === 0) throw new UsageError("--interface: at least one is needed");
  const { peer, direct, converter, forward, tun, socks, to } = values;
  const roles = (["peer", "direct", "converter", "forward"] as const).filter((name) => values[name] !== undefined);
  const both = direct === true && forward !== undefined;
  if (roles.length !== (both ? 2 : 1))
    throw new UsageError("one of --peer, --direct, --converter and --forward is needed, or --direct and --forward");
  const forApplications = peer !== undefined || direct === true;
  if (forApplications && tun === undefined && socks === undefined)
    throw new UsageError(`--${roles[0]}: applications need a way in, --tun or --socks`);
  if (socks === undefined && values["socks-user"] !== undefined)
    throw new UsageError("--socks-user: it goes with --socks");
  if (to !== undefined && isIP(to) === 0) throw new UsageError(`--to: "${to}" is not an IP address`);
  refuseOfOtherSide(values, [
    ...(forApplications ? [] : ["socks", "socks-user"]),
    ...(peer === undefined ? ["tell-source", "fast-open"] : []),
    ...(converter === undefined ? ["allow", "proxy-protocol", "cookies"] : []),
    ...(converter === undefined && forward === undefined ? ["to"] : []),
    ...(forward !== undefined && !both ? ["tun"] : []),
  ]);
  if (converter !== undefined && tun !== undefined && (to !== undefined || values["proxy-protocol"] === true))
    throw new UsageError(
      "--tun shows servers the applications' addresses: neither --to nor --proxy-protocol goes with it",
    );
  return {
    host,
    algorithmsOnStdin: values["algorithms-on-stdin"] === true,
    interfaces,
    tun,
    status: values.status === undefined ? undefined : parseStatus(values.status),
    observeMicroseconds: values.observe === undefined ? undefined : parseInterval(values.observe),
    congestionControl: values["congestion-control"] ?? "lia",
    scheduler: values.scheduler ?? "min-rtt",
    offload: values["no-offload"] !== true,
    peers: (peer ?? []).map((each) => parseHostAndPort("--peer", each)),
    direct: direct === true,
    forwardPorts: (forward ?? []).map((each) => parsePort("--forward", each)),
    fastOpen: values["fast-open"] === true,
    socks: socks === undefined ? undefined : parseHostAndPort("--socks", socks),
    credentials: values["socks-user"] === undefined ? undefined : parseCredentials(values["socks-user"]),
    tellSource: values["tell-source"] === true,
    converterPort: converter === undefined ? undefined : parsePort("--converter", converter),
    toAddress: to,
    allowed: values.allow === undefined ? undefined : parseAllowed(values.allow),
    proxyProtocol: values["proxy-protocol"] === true,
    cookies: values.cookies === true,
  };
}

function parsed(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        interface: { type: "string", multiple: true },
        host: text,
        "algorithms-on-stdin": flag,
        status: text,
        observe: text,
        tun: text,
        "congestion-control": text,
        scheduler: text,
        "no-offload": flag,
        peer: { type: "string", multiple: true },
        direct: flag,
        "fast-open": flag,
        socks: text,
        "socks-user": text,
        "tell-source": flag,
        converter: text,
        forward: { type: "string", multiple: true },
        to: text,
        allow: { type: "string", multiple: true },
        "proxy-protocol": flag,
        cookies: flag,
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function refuseOfOtherSide(values: object, names: readonly string[]): void {
  const given = names.find((name) => name in values);
  if (given !== undefined) throw new UsageError(`--${given} is an option of another side`);
}

function withInterface(before: readonly PathInterface[], text: string): PathInterface[] {
  try {
    return collectInterface(text, before);
  } catch (error) {
    throw new UsageError(`--interface: ${(error as Error).message}`);
  }
}

/** What is in it is checked by the host itself. */
function parseHost(text: string): PathHost {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`--host: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || !Array.isArray((value as PathHost).interfaces))
    throw new UsageError("--host: an object with interfaces is needed");
  return value as PathHost;
}

function parsePrefix(option: string, text: string): { address: string; prefixLength: number } {
  const [, address = "", length = ""] = /^([^/]+)\/(\d+)$/.exec(text) ?? [];
  const prefixLength = Number(length);
  if (isIP(address) === 0 || prefixLength > (isIPv6(address) ? 128 : 32))
    throw new UsageError(`${option}: "${text}" is not ADDRESS/LENGTH`);
  return { address, prefixLength };
}

function parseHostAndPort(option: string, text: string): HostAndPort {
  const [, host = "", port = ""] = /^(.+):(\d+)$/.exec(text) ?? [];
  const bare = /^\[(.+)\]$/.exec(host)?.[1] ?? host;
  if (isIP(bare) === 0) throw new UsageError(`${option}: "${text}" is not ADDRESS:PORT`);
  return { host: bare, port: parsePort(option, port) };
}

function parseInterval(text: string): number {
  const milliseconds = Number(text);
  if (!(milliseconds >= 1) || !Number.isFinite(milliseconds))
    throw new UsageError(`--observe: "${text}" is not a number of milliseconds from 1 on`);
  return Math.round(milliseconds * 1_000);
}

function parseStatus(text: string): StatusAddress {
  const address = parseStatusAddress(text);
  if (address === undefined) throw new UsageError(`--status: "${text}" is neither a path nor a port nor HOST:PORT`);
  return address;
}

function parsePort(option: string, text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new UsageError(`${option}: "${text}" is not a port`);
  return port;
}

function parseCredentials(text: string): Socks5Credentials {
  const colon = text.indexOf(":");
  if (colon < 1) throw new UsageError("--socks-user: NAME:PASSWORD is needed");
  const [user, password] = [text.slice(0, colon), text.slice(colon + 1)];
  if ([user, password].some((part) => Buffer.byteLength(part) < 1 || Buffer.byteLength(part) > 255))
    throw new UsageError("--socks-user: name and password have 1 to 255 bytes each (RFC 1929 §2)");
  return { user, password };
}

function parseAllowed(prefixes: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of prefixes) {
    const { address, prefixLength } = parsePrefix("--allow", text);
    list.addSubnet(address, prefixLength, isIPv6(address) ? "ipv6" : "ipv4");
  }
  return list;
}
