/** What an experiment wants to know of a gateway while it works: samples of its connections on the paths, in the words of the endpoint program. */
import { type Clock, monotonicClock } from "../clock.ts";
import type { EndpointRecord } from "../protocol.ts";
import type { ObservedHost } from "../status/status-source.ts";
import { connectionMetrics, subflowMetrics } from "../stack/connection-sample.ts";

export type ConnectionRecord = Extract<EndpointRecord, { type: "metrics" }>;

/** Samples all connections of `host` each so often, until what it returns is called. */
export function observeConnections(
  { host }: Pick<ObservedHost, "host">,
  intervalMicroseconds: number,
  emit: (record: ConnectionRecord) => void,
  clock: Clock = monotonicClock,
): () => void {
  let cancel: () => void;
  const observeAt = (time: number): void => {
    cancel = clock.callAt(time, () => {
      const now = clock.now();
      // What comes late for a whole interval is left out, not made up for.
      observeAt(Math.max(time, now - intervalMicroseconds + 1) + intervalMicroseconds);
      for (const connection of host.connections) {
        if (!connection.established || connection.closed) continue;
        const info = connection.info();
        const subflows = info.subflows.map(subflowMetrics);
        emit({ type: "metrics", time: now, connection: connectionMetrics(info), subflows });
      }
    });
  };
  observeAt(clock.now() + intervalMicroseconds);
  return () => cancel();
}
