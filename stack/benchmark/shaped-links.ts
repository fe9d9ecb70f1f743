/** Links of a rate, shaped by the kernel's HTB in a namespace in the middle: never on a host's own interface, where a full queue is told to TCP. */

import { ipBatch, run } from "./ip.ts";

/** What a full queue takes to drain; on slow links the queue holds a few super-packets, however long they take. */
const queueMicroseconds = 10_000;
const leastQueueBytes = 262_144;
/** The largest super-packet passes whole. */
const burstBytes = 131_072;

export type ShapedLink = {
  /** Names of the middle's own ends of the veth pairs. */
  clientEnd: string;
  serverEnd: string;
  bridge: string;
};

export function shapedLink(path: number): ShapedLink {
  return { clientEnd: `client${path}`, serverEnd: `server${path}`, bridge: `bridge${path}` };
}

/** Joins each link's ends, which are there, and gives both directions their rate. */
export async function shapeLinks(
  namespace: string,
  links: readonly ShapedLink[],
  bitsPerSecond: number,
): Promise<void> {
  await ipBatch(
    links.flatMap(({ clientEnd, serverEnd, bridge }) => [
      `link add ${bridge} type bridge stp_state 0 mcast_snooping 0`,
      ...[clientEnd, serverEnd].map((end) => `link set ${end} master ${bridge}`),
      ...[bridge, clientEnd, serverEnd].map((name) => `link set ${name} addrgenmode none up`),
    ]),
    namespace,
  );
  const queueBytes = Math.max(leastQueueBytes, Math.round((bitsPerSecond / 8e6) * queueMicroseconds));
  for (const end of links.flatMap(({ clientEnd, serverEnd }) => [clientEnd, serverEnd])) {
    const tc = (command: string): Promise<unknown> => run("tc", ["-n", namespace, ...command.split(" ")]);
    await tc(`qdisc add dev ${end} root handle 1: htb default 1`);
    const rate = `rate ${bitsPerSecond}bit ceil ${bitsPerSecond}bit burst ${burstBytes} cburst ${burstBytes} quantum 65536`;
    await tc(`class add dev ${end} parent 1: classid 1:1 htb ${rate}`);
    await tc(`qdisc add dev ${end} parent 1:1 handle 10: bfifo limit ${queueBytes}`);
  }
}
