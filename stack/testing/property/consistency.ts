/** What holds of every connection after every step, and of a host that has no connection any more. */

import type { Host } from "../../host.ts";
import type { Connection } from "../../mptcp/connection.ts";
import type { Subflow } from "../../mptcp/subflow.ts";

export type Require = (condition: boolean, expectation: string) => void;

/** RFC 8684 sets no limit; the stack's own, and as many again that wait in TIME-WAIT. */
const mostSubflows = 16;
/** Payload that waits for its mapping: the limit of `HeldPayload` and the segment that passed it. */
const mostHeldBytes = 262_144 + 65_536;

/** `thorough`: queues are walked, too. */
export function checkConnection(connection: Connection, thorough: boolean, require: Require): void {
  const { reassembly, dataSender, environment, subflows } = connection;
  const { receiveBufferBytes, sendBufferBytes } = environment;
  require(reassembly.outOfOrderBytes >= 0, "memory: out-of-order bytes are counted right");
  require(reassembly.outOfOrderBytes <= receiveBufferBytes, "memory: out-of-order bytes fit the receive buffer");
  require(reassembly.readableBytes <= receiveBufferBytes, "memory: unread bytes fit the receive buffer");
  require(connection.writableBytes <= sendBufferBytes, "memory: the send buffer's room");
  require(dataSender.unacknowledged <= dataSender.next + 1, "data level: nothing unsent is acknowledged");
  require(dataSender.next <= connection.sendBuffer.end, "data level: nothing is sent that was not written");
  require(subflows.length <= mostSubflows, "memory: subflows");
  if (connection.plain && !connection.closed) {
    const open = subflows.filter(({ endpoint }) => !endpoint.closed);
    require(open.length <= 1, "plain TCP has one subflow");
  }
  for (const subflow of subflows) checkSubflow(subflow, thorough, require);
}

function checkSubflow(subflow: Subflow, thorough: boolean, require: Require): void {
  const { endpoint, connection, held } = subflow;
  const { sender, receiver } = endpoint;
  const limit = connection.environment.receiveBufferBytes;
  require(sender.unacknowledged <= sender.next, "subflow: SND.UNA is not beyond SND.NXT");
  require(sender.bytesInFlight >= 0, "subflow: bytes in flight");
  require(receiver.outOfOrderBytes >= 0, "memory: out-of-order bytes of a subflow are counted right");
  require(receiver.outOfOrderBytes <= 2 * limit, "memory: out-of-order bytes of a subflow fit the window");
  require(held.byteCount <= mostHeldBytes, "memory: payload without a mapping");
  require(endpoint.closed || endpoint.state === "close-wait" || connection.closed || hasWakeUp(subflow), "a way on");
  if (!thorough) return;
  let end: number | undefined;
  for (let range = sender.queue.head; range !== undefined; range = range.next) {
    require(range.start < range.end, "sent queue: no empty range");
    require(end === undefined || range.start === end, "sent queue: no gap");
    end = range.end;
  }
  require(end === undefined || end === sender.next, "sent queue: ends at SND.NXT");
}

/** Something outstanding always has a timer, or the peer's window and the data level have one. */
function hasWakeUp(subflow: Subflow): boolean {
  const { endpoint } = subflow;
  return endpoint.sender.outstanding === 0 || endpoint.nextTimeout < Number.POSITIVE_INFINITY;
}

/** All is given back. */
export function checkNothingLeft(host: Host, require: Require): void {
  for (const [what, count] of Object.entries(host.holdings))
    require(count === 0, `memory: ${host.name} still has ${count} ${what}`);
  require(host.pollTimeout() === Number.POSITIVE_INFINITY, `memory: a timer of ${host.name} still runs`);
}
