/** What a script says of the machine under test: its option lines, and the commands by which one would set up a kernel. */

import type { MultipathPolicy } from "../../mptcp/multipath-policy.ts";
import { canonicalAddress } from "./address-text.ts";
import { type Position, ScriptUnsupported } from "./script-error.ts";
import type { Script, ScriptOption } from "./syntax.ts";

/** packetdrill's own, 4 ms: real clocks are that far off. */
const defaultTolerance = 4_000;

/** What the two sides are called when a script says no more than --ip_version=ipv6. */
const ipv6Addresses = { local: "2001:db8:1::1", remote: "2001:db8:2::1" };

export interface ScriptConfiguration {
  toleranceMicroseconds: number;
  /** Ticks of the host's timestamps, when they are to be compared. */
  timestampTickMicroseconds: number | undefined;
  localAddress: string;
  remoteAddress: string;
  bindPort: number;
  connectPort: number;
  mtu: number;
  mptcpEnabled: boolean;
  dssChecksum: boolean;
  congestionControl: "lia" | "reno";
  synCookies: "never" | "when-full" | "always";
  explicitCongestionNotification: boolean;
  /** Bits of net.ipv4.tcp_fastopen. */
  fastOpen: number;
  /** Whether the User Timeout option is sent and looked at. */
  userTimeoutOption: boolean;
  sendBufferBytes: number | undefined;
  receiveBufferBytes: number | undefined;
  policy: { -readonly [name in keyof MultipathPolicy]?: MultipathPolicy[name] };
  /** Addresses beyond the first, each on an interface of its own. */
  endpoints: {
    address: string;
    backup: boolean;
    /** Advertised with the address; 0: none. */
    port: number;
    /** As the kernel's path manager takes them. */
    flags: string[];
  }[];
}

/** Of net.ipv4.tcp_fastopen: who connects may; who listens may, if the socket asks for it; every socket that listens does. */
export const fastOpenBit = { client: 1, server: 2, everyListener: 0x400 } as const;
const knownFastOpenBits = fastOpenBit.client | fastOpenBit.server | fastOpenBit.everyListener;

export function defaultConfiguration(): ScriptConfiguration {
  return {
    toleranceMicroseconds: defaultTolerance,
    timestampTickMicroseconds: undefined,
    localAddress: "192.168.0.1",
    remoteAddress: "192.0.2.1",
    bindPort: 8080,
    connectPort: 8080,
    mtu: 1500,
    mptcpEnabled: true,
    dssChecksum: false,
    congestionControl: "lia",
    synCookies: "when-full",
    explicitCongestionNotification: false,
    fastOpen: fastOpenBit.client,
    userTimeoutOption: false,
    sendBufferBytes: undefined,
    receiveBufferBytes: undefined,
    policy: {},
    endpoints: [],
  };
}

/** @throws ScriptUnsupported for an option that would change what the script means */
export function applyOptions(configuration: ScriptConfiguration, script: Script): void {
  for (const option of script.options) applyOption(configuration, option);
}

function applyOption(configuration: ScriptConfiguration, option: ScriptOption): void {
  const { name, value, position } = option;
  const number = (): number => {
    const parsed = Number(value);
    if (value === undefined || !Number.isInteger(parsed))
      throw new ScriptUnsupported(position, `--${name}=${value}: not a number`);
    return parsed;
  };
  const address = (): string => {
    const parsed = canonicalAddress(value ?? "");
    if (parsed === undefined) throw new ScriptUnsupported(position, `--${name}=${value}: no address`);
    return parsed;
  };
  switch (name) {
    case "tolerance_usecs":
      configuration.toleranceMicroseconds = number();
      return;
    case "tcp_ts_tick_usecs":
      configuration.timestampTickMicroseconds = number();
      return;
    case "local_ip":
      configuration.localAddress = address();
      return;
    case "remote_ip":
      configuration.remoteAddress = address();
      return;
    case "bind_port":
      configuration.bindPort = number();
      return;
    case "connect_port":
      configuration.connectPort = number();
      return;
    case "mtu":
      configuration.mtu = number();
      return;
    case "ip_version":
      if (value === "ipv4") return;
      if (value !== "ipv6") break;
      configuration.localAddress = ipv6Addresses.local;
      configuration.remoteAddress = ipv6Addresses.remote;
      return;
    default:
  }
  throw new ScriptUnsupported(position, `--${name}${value === undefined ? "" : `=${value}`}`);
}

/** @throws ScriptUnsupported for a command that is not known: it might matter */
export function applyCommand(configuration: ScriptConfiguration, command: string, position: Position): void {
  for (const line of command.split(/[\n;]|&&/)) {
    const words = line
      .trim()
      .split(/\s+/)
      .filter((word) => word !== "");
    if (words.length === 0 || words[0] === "true") continue;
    const [program, ...rest] = words as [string, ...string[]];
    if (program === "sysctl") applySysctl(configuration, line, position);
    else if (program === "ip" && rest[0] === "mptcp" && rest[1] === "endpoint")
      applyEndpoint(configuration, rest.slice(2), position);
    else if (program === "ip" && rest[0] === "mptcp" && rest[1] === "limits")
      applyLimits(configuration, rest.slice(2), position);
    else throw new ScriptUnsupported(position, `the command "${line.trim()}"`);
  }
}

function applySysctl(configuration: ScriptConfiguration, line: string, position: Position): void {
  const match = /^\s*sysctl(?:\s+-\w+)*\s+([\w.]+)\s*=\s*"?([^"]*?)"?\s*$/.exec(line);
  const name = match?.[1];
  const value = match?.[2] ?? "";
  switch (name) {
    case "net.mptcp.enabled":
      configuration.mptcpEnabled = value === "1";
      return;
    case "net.mptcp.checksum_enabled":
      configuration.dssChecksum = value === "1";
      return;
    case "net.mptcp.allow_join_initial_addr_port":
      configuration.policy.allowJoinInitialAddress = value === "1";
      return;
    case "net.mptcp.close_timeout":
      configuration.policy.closeTimeoutMicroseconds = Number(value) * 1_000_000;
      return;
    case "net.ipv4.tcp_syncookies":
      configuration.synCookies = value === "0" ? "never" : value === "2" ? "always" : "when-full";
      return;
    case "net.ipv4.tcp_ecn":
      if (value !== "0" && value !== "1") break;
      configuration.explicitCongestionNotification = value === "1";
      return;
    case "net.ipv4.tcp_fastopen":
      if ((Number(value) & ~knownFastOpenBits) !== 0 || Number.isNaN(Number(value))) break;
      configuration.fastOpen = Number(value);
      return;
    case "pathlab.user_timeout_option":
      configuration.userTimeoutOption = value === "1";
      return;
    case "net.ipv4.tcp_congestion_control":
      if (value !== "reno" && value !== "lia") break;
      configuration.congestionControl = value;
      return;
    case "net.ipv4.tcp_rmem":
      configuration.receiveBufferBytes = largest(value);
      return;
    case "net.ipv4.tcp_wmem":
      configuration.sendBufferBytes = largest(value);
      return;
    default:
  }
  throw new ScriptUnsupported(position, `the command "${line.trim()}"`);
}

/** The third of minimum, default and maximum. */
function largest(value: string): number {
  return Number(value.split(/\s+/).at(-1));
}

/** `set subflow N add_addr_accepted M`, in any order. */
function applyLimits(configuration: ScriptConfiguration, words: string[], position: Position): void {
  const [verb, ...pairs] = words;
  if (verb !== "set") throw new ScriptUnsupported(position, `the command "ip mptcp limits ${words.join(" ")}"`);
  for (let i = 0; i < pairs.length; i += 2) {
    const [name, value] = [pairs[i], Number(pairs[i + 1])];
    if (name === "subflow" || name === "subflows") configuration.policy.maximumSubflows = value;
    else if (name === "add_addr_accepted") configuration.policy.maximumAddressesAccepted = value;
    else throw new ScriptUnsupported(position, `the limit ${name}`);
  }
}

function applyEndpoint(configuration: ScriptConfiguration, words: string[], position: Position): void {
  const [verb, address, ...flags] = words;
  if (verb === "flush") {
    configuration.endpoints = [];
    return;
  }
  const portAt = flags.indexOf("port");
  const port = portAt < 0 ? 0 : Number(flags.splice(portAt, 2)[1]);
  const known = new Set(["signal", "subflow", "fullmesh", "backup"]);
  // The path manager is the full mesh: whoever connects joins from everywhere, whoever listens signals.
  if (verb === "add" && address !== undefined && flags.every((flag) => known.has(flag))) {
    configuration.endpoints.push({ address, backup: flags.includes("backup"), port, flags });
    return;
  }
  throw new ScriptUnsupported(position, `the command "ip mptcp endpoint ${words.join(" ")}"`);
}
