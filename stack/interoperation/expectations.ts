/** What cases ask of the kernel's counters and of the wire. */

import { PremiseError } from "./case.ts";
import type { Role } from "./fabric.ts";
import type { Lab } from "./lab.ts";

const much = 300_000;

/** A transfer each way, and the end in order: the connection lives as MPTCP, whatever became of further subflows. */
export async function carries(lab: Lab): Promise<void> {
  await lab.transfer({ up: much, down: much });
  await speaksMptcp(lab);
  await lab.finish();
}

/** Connected, and so far that joins may begin: each has acknowledged bytes of the other (RFC 8684 §3.2). */
export async function connected(lab: Lab): Promise<void> {
  await lab.connect();
  await lab.transfer({ up: 1000, down: 1000 });
}

/** Connected, with so many joins done. */
export async function joined(lab: Lab, number: number): Promise<void> {
  await connected(lab);
  await joins(lab, number);
}

/** Payload between the client's interface with this index and anyone, from now on, in one direction or both. */
export function payloadOver(lab: Lab, clientIndex: number, sender?: Role): { readonly payloadBytes: number } {
  return lab.fabric.count(
    ({ from, to }) => (sender ?? from.role) === from.role && (from.role === "client" ? from : to).index === clientIndex,
  );
}

export type Expected = Readonly<Record<string, number>>;

/** Waits until each counter has reached its value. */
export async function atLeast(lab: Lab, expected: Expected): Promise<void> {
  const names = Object.keys(expected);
  const unknown = names.filter((name) => lab.counters()[name] === undefined);
  if (unknown.length > 0) throw new Error(`this kernel has no counters ${unknown.join(", ")}`);
  const wanted = names.map((name) => `${name}=${expected[name]}`).join(" ");
  await lab.until(wanted, () => {
    const now = lab.counters();
    return names.every((name) => now[name]! >= expected[name]!);
  });
}

/** Waits until each counter has reached its value, and takes no more than that. */
export async function counters(lab: Lab, expected: Expected): Promise<void> {
  await atLeast(lab, expected);
  const now = lab.counters();
  const beyond = Object.entries(expected).filter(([name, value]) => now[name] !== value);
  const excess = beyond.map(([name, value]) => `${name} is ${now[name]}, not ${value}`).join(", ");
  if (beyond.length === 0) return;
  const message = `${excess}\n${lab.describe()}`;
  throw lab.fabric.repeatedSyns > 0 ? new PremiseError(`SYNs were sent again: ${message}`) : new Error(message);
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

/** Both sides have so many subflows: our state, and `ss` of TCP sockets. */
export async function subflows(lab: Lab, number: number): Promise<void> {
  await lab.until(`${number} subflows`, () => established(lab) === number);
  await kernelSubflows(lab, number);
}

/** So many have been through the handshake, those of all connections. */
export async function kernelSubflows(lab: Lab, number: number): Promise<void> {
  await lab.untilAsync(`${number} subflows in the kernel`, async () => {
    const listed = await lab.ss("-Htn", "state", "established");
    return listed.split("\n").length - 1 === number;
  });
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
