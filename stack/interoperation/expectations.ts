/** What cases ask of the kernel's counters and of the wire. */

import type { Role } from "./fabric.ts";
import type { Lab } from "./lab.ts";

export type Expected = Readonly<Record<string, number>>;

/** Waits until each counter has reached its value, and takes no more than that. */
export async function counters(lab: Lab, expected: Expected): Promise<void> {
  const names = Object.keys(expected);
  const unknown = names.filter((name) => lab.counters()[name] === undefined);
  if (unknown.length > 0) throw new Error(`this kernel has no counters ${unknown.join(", ")}`);
  const wanted = names.map((name) => `${name}=${expected[name]}`).join(" ");
  await lab.until(wanted, () => {
    const now = lab.counters();
    return names.every((name) => now[name]! >= expected[name]!);
  });
  const now = lab.counters();
  const beyond = names.filter((name) => now[name] !== expected[name]).map((name) => `${name}=${now[name]}`);
  if (beyond.length > 0) throw new Error(`more than ${wanted}: ${beyond.join(" ")}\n${lab.describe()}`);
}

/** The same by the role that the kernel has. */
export async function countersOf(lab: Lab, expected: Readonly<Record<Role, Expected>>): Promise<void> {
  await counters(lab, expected[lab.kernelRole]);
}

/** So many joins from client to server came about, as the kernel counts them, and both see so many further subflows. */
export async function joins(lab: Lab, number: number): Promise<void> {
  await countersOf(lab, {
    server: { MPJoinSynRx: number, MPJoinAckRx: number },
    client: { MPJoinSynTx: number, MPJoinSynAckRx: number },
  });
  await subflows(lab, number + 1);
}

/** Our stack has so many established subflows. */
export async function subflows(lab: Lab, number: number): Promise<void> {
  await lab.until(`${number} subflows`, () => established(lab) === number);
}

export function established(lab: Lab): number {
  return lab.ours.info.subflows.filter(({ state }) => state === "established").length;
}

export function assert(holds: boolean, lab: Lab, message: string): asserts holds {
  if (!holds) throw new Error(`${message}\n${lab.describe()}`);
}

/** The connection speaks MPTCP by the word of both: our state, and `ss -M`, which shows no "fallback". */
export async function speaksMptcp(lab: Lab): Promise<void> {
  assert(lab.ours.info.mptcp, lab, "our stack fell back");
  const listed = await lab.ss("-HMin", "state", "established");
  assert(/token:/.test(listed) && !/fallback/.test(listed), lab, `ss -M says: ${listed}`);
}

/** Each is plain TCP, by the word of our stack and for the kernel by the lack of its MPTCP connection. */
export async function speaksTcp(lab: Lab): Promise<void> {
  assert(!lab.ours.info.mptcp, lab, "our stack did not fall back");
  const listed = await lab.ss("-HMin", "state", "established");
  assert(listed === "" || /fallback/.test(listed), lab, `ss -M says: ${listed}`);
}
