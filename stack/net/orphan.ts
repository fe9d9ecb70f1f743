/** What becomes of a connection whose socket is no more: what close(2) of Linux does. */

import type { Alarm } from "../alarm.ts";
import type { Connection } from "../host.ts";
import type { NetworkStack } from "./network-stack.ts";
import { ProcessHold } from "./process-hold.ts";

/** As net.ipv4.tcp_fin_timeout: how long a peer may neither take what we have nor end its own stream. */
const patienceMicroseconds = 60_000_000;

/**
 * What was written is still sent, and the end after it. Data that nobody will read are answered with a reset, those that are here already too: the peer must not
 * believe that they were taken (RFC 9293 §3.6.1; RFC 2525 §2.17).
 */
export function orphan(stack: NetworkStack, connection: Connection): void {
  const { host } = stack;
  if (connection.closed) return;
  const abort = (): void => {
    connection.abort(stack.now());
    stack.wake();
  };
  if (!connection.established || connection.readableBytes > 0) {
    abort();
    return;
  }
  // The kernel would go on when the process has ended; our stack is in the process.
  const hold = new ProcessHold(stack);
  const { dataSender } = connection;
  let acknowledged = dataSender.unacknowledged;
  const alarm: Alarm = {
    at: Number.POSITIVE_INFINITY,
    ring: () => {
      if (!dataSender.owesData || dataSender.unacknowledged === acknowledged) {
        abort();
        return;
      }
      acknowledged = dataSender.unacknowledged;
      host.setAlarm(alarm, stack.now() + patienceMicroseconds);
    },
  };
  connection.observer = {
    onEstablished: () => undefined,
    onReadable: abort,
    onWritable: () => undefined,
    onRemoteEnd: () => undefined,
    onClosed: () => {
      host.setAlarm(alarm, Number.POSITIVE_INFINITY);
      hold.set(false);
    },
  };
  hold.set(true);
  host.setAlarm(alarm, stack.now() + patienceMicroseconds);
  connection.closeWrite(stack.now());
  stack.wake();
}
