/** What is compared: who speaks with whom, over what. */

import type { LabOptions, Side, Stack } from "./lab.ts";

export type Pairing = {
  name: string;
  stacks: Readonly<Record<Side, Stack>>;
  mptcp: boolean;
  /** Of our ends; default: sockets of stack/net. `none`: packet sockets alone, without the stack. */
  application?: "net" | "host" | "none";
  ownSegments?: boolean;
  /** Default: Reno. */
  congestionControl?: string;
};

const pair = (client: Stack, server: Stack): Readonly<Record<Side, Stack>> => ({ client, server });

/** The client sends. */
export const oursToOurs: Pairing = { name: "ours → ours", stacks: pair("ours", "ours"), mptcp: true };
export const oursToKernel: Pairing = { name: "ours → kernel", stacks: pair("ours", "kernel"), mptcp: true };
export const kernelToOurs: Pairing = { name: "kernel → ours", stacks: pair("kernel", "ours"), mptcp: true };
export const kernelMptcp: Pairing = { name: "kernel MPTCP", stacks: pair("kernel", "kernel"), mptcp: true };
export const kernelTcp: Pairing = { name: "kernel TCP", stacks: pair("kernel", "kernel"), mptcp: false };
/** Without sockets between the application and the stack. */
export const straight: Pairing = { ...oursToOurs, name: "ours → ours, no sockets", application: "host" };
/** What packet sockets carry if nothing stands behind them: a program in C that sends and reads what our ends do. */
export const packetSockets: Pairing = { ...oursToOurs, name: "packet sockets alone, in C", application: "none" };
/** Every packet made by our stack; with the others the kernel cuts super-packets where the device does not. */
export const ownSegments: Pairing = { ...oursToOurs, name: "ours → ours, own segments", ownSegments: true };

/** The same with the coupled congestion control of RFC 6356. */
export const coupled: Pairing = { ...oursToOurs, name: "ours → ours, LIA", congestionControl: "lia" };

export type Condition = Pick<LabOptions, "paths" | "offload" | "bitsPerSecond">;

export const conditions: readonly Condition[] = [
  { paths: 1, offload: true },
  { paths: 2, offload: true },
  { paths: 1, offload: false },
  { paths: 2, offload: false },
];

/** The paper's "1 Gbps and up". */
export const shaped: Condition = { paths: 2, offload: true, bitsPerSecond: 1e9 };

export function describeCondition({ paths, offload, bitsPerSecond }: Condition): string {
  const rate = bitsPerSecond === undefined ? "" : ` of ${bitsPerSecond / 1e9} Gbit/s`;
  return `${paths === 1 ? "1 path" : `${paths} paths`}${rate}, ${offload ? "64 KiB" : "1500 bytes"}`;
}
