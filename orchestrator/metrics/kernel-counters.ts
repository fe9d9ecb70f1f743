import { execFile } from "node:child_process";

/** Counters of a network namespace: `MPTcpExt.MPJoinSynRx`, `TcpExt.TCPTimeouts`, `Tcp.RetransSegs` … */
export type KernelCounters = Readonly<Record<string, number>>;

/** The groups that say something of TCP and MPTCP. */
const groups = new Set(["MPTcpExt", "TcpExt", "Tcp"]);

/** Reads what `/proc/net/netstat` and `/proc/net/snmp` say: lines in pairs, names then values. */
export function parseKernelCounters(text: string): KernelCounters {
  const counters: Record<string, number> = {};
  const lines = text.split("\n").filter((line) => line !== "");
  for (let index = 0; index + 1 < lines.length; index += 2) {
    const [group, ...names] = lines[index]!.split(" ");
    const [sameGroup, ...values] = lines[index + 1]!.split(" ");
    if (group !== sameGroup || names.length !== values.length)
      throw new SyntaxError(`names and values do not match: ${lines[index]}`);
    if (!groups.has(group!.slice(0, -1))) continue;
    for (const [column, name] of names.entries()) counters[`${group!.slice(0, -1)}.${name}`] = Number(values[column]);
  }
  return counters;
}

/** Reads the counters inside the network namespace at `path` (`/run/netns/…`). Rejects when it cannot be entered. */
export function readKernelCounters(path: string): Promise<KernelCounters> {
  return new Promise((resolve, reject) => {
    execFile("nsenter", [`--net=${path}`, "--", "cat", "/proc/net/netstat", "/proc/net/snmp"], (error, stdout) => {
      if (error) reject(error);
      else resolve(parseKernelCounters(stdout));
    });
  });
}

/** What moved between two readings. */
export function kernelCounterDifference(before: KernelCounters, after: KernelCounters): KernelCounters {
  const moved = Object.entries(after).map(([name, value]): [string, number] => [name, value - (before[name] ?? 0)]);
  return Object.fromEntries(moved.filter(([, value]) => value !== 0));
}

export interface KernelFinding {
  readonly counter: string;
  readonly value: number;
  /** One sentence for a person. */
  readonly meaning: string;
}

/** Counters that must not move in a sound run, and what it means when they do. */
const traps: Readonly<Record<string, string>> = {
  "MPTcpExt.MPCapableSYNTXDisabled":
    "the kernel had switched MPTCP off for the whole namespace, so connections were plain TCP from the start",
  "MPTcpExt.Blackhole":
    "the kernel took unanswered MP_CAPABLE SYNs for a blackhole and switched MPTCP off for the whole namespace",
  "MPTcpExt.MPCapableSYNTXDrop": "MP_CAPABLE SYNs went unanswered and the kernel tried again without MPTCP",
  "MPTcpExt.MPCapableFallbackACK": "a peer's third ACK had no MP_CAPABLE: the connection fell back to TCP",
  "MPTcpExt.MPCapableFallbackSYNACK": "the SYN-ACK had no MP_CAPABLE: the connection fell back to TCP",
  "MPTcpExt.MPCapableDataFallback": "the first data had no mapping: the connection fell back to TCP",
  "MPTcpExt.MPFallbackTokenInit": "no token was to be had: the connection fell back to TCP",
  "MPTcpExt.MD5SigFallback": "TCP-MD5 left no room for MPTCP: the connection fell back to TCP",
  "MPTcpExt.DssFallback": "a bad DSS option made the connection fall back to TCP",
  "MPTcpExt.SimultConnectFallback": "a simultaneous open made the connection fall back to TCP",
  "MPTcpExt.FallbackFailed": "a fallback to TCP was no longer possible, and the subflow was reset",
  "MPTcpExt.InfiniteMapTx": "an infinite mapping was sent: the connection fell back to TCP",
  "MPTcpExt.InfiniteMapRx": "an infinite mapping was received: the connection fell back to TCP",
  "MPTcpExt.MPJoinNoTokenFound": "an MP_JOIN named a token that nobody has",
  "MPTcpExt.MPJoinSynAckHMacFailure": "an MP_JOIN SYN-ACK carried a wrong HMAC",
  "MPTcpExt.MPJoinAckHMacFailure": "an MP_JOIN ACK carried a wrong HMAC",
  "MPTcpExt.DataCsumErr": "a DSS checksum was wrong",
  "MPTcpExt.DSSNotMatching": "a mapping contradicted one before it",
  "MPTcpExt.DSSNoMatchTCP": "a mapping did not match its TCP segment",
  "MPTcpExt.DSSCorruptionFallback": "data without a valid mapping made the connection fall back to TCP",
  "MPTcpExt.DSSCorruptionReset": "data without a valid mapping had the subflow reset",
  "MPTcpExt.MPFailTx": "MP_FAIL was sent",
  "MPTcpExt.MPFailRx": "MP_FAIL was received",
  "TcpExt.TCPMD5Failure": "a TCP-MD5 signature was wrong",
  "Tcp.InCsumErrors": "TCP checksums were wrong",
};

/** The traps of a kernel peer that a run fell into; an experiment that provokes one of them names it in `expected`. */
export function assertKernelTraps(difference: KernelCounters, expected: readonly string[] = []): KernelFinding[] {
  return Object.entries(traps).flatMap(([counter, meaning]) => {
    const value = difference[counter] ?? 0;
    return value > 0 && !expected.includes(counter) ? [{ counter, value, meaning }] : [];
  });
}
