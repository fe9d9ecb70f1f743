/**
 * Events as records of qlog (draft-ietf-quic-qlog-main-schema-13, sequential files: JSON text sequences, RFC 7464), for tools that read those. Names and fields are ours in
 * qlog's spelling; `recovery:metrics_updated` has the fields of the QUIC schema's event of that name, from which such tools draw windows and round trips.
 */

import type { StackEvent } from "./events.ts";

/** Before each record, of which each ends with a line feed. */
export const recordSeparator = "\u001e";

/** Whose namespaces and fields these are: docs/events.md. */
export const eventSchema = "urn:x-pathlab:qlog:events:mptcp-1";

export interface QlogSource {
  title: string;
  /** The host that tells. */
  host: string;
  role: "client" | "server" | "unknown";
}

/** The first record of a file. `qlog_version` and `qlog_format` are of the schema's version 0.3: readers that know no later one (qvis) refuse a file without them. */
export function qlogHeader({ title, host, role }: QlogSource): object {
  return {
    file_schema: "urn:ietf:params:qlog:file:sequential",
    serialization_format: "application/qlog+json-seq",
    qlog_version: "0.3",
    qlog_format: "JSON-SEQ",
    title,
    trace: {
      title: host,
      vantage_point: { name: host, type: role },
      event_schemas: [eventSchema],
      common_fields: {
        time_format: "relative_to_epoch",
        reference_time: { clock_type: "monotonic", epoch: "unknown" },
      },
    },
  };
}

export interface QlogEvent {
  /** Milliseconds. */
  time: number;
  name: string;
  /** The connection. */
  group_id: string;
  /** The subflow, where the event is of one. */
  tuple?: string;
  data: Record<string, unknown>;
}

/** Fields that have a name in the QUIC schema. */
const quicNames: Readonly<Record<string, string>> = {
  slowStartThreshold: "ssthresh",
  latestRttMicroseconds: "latest_rtt",
  minimumRttMicroseconds: "min_rtt",
  rttVariationMicroseconds: "rtt_variance",
};

/** Durations become milliseconds and lose their unit from the name, as all of qlog's; what is not known, or infinite, is left out. */
export function qlogEvent(event: StackEvent): QlogEvent {
  const { time, name, connection, ...fields } = event;
  const data: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) addField(data, key, value);
  const tuple = "subflow" in event && event.subflow >= 0 ? { tuple: String(event.subflow) } : {};
  return { time: time / 1_000, name: spelled(name), group_id: String(connection), ...tuple, data };
}

function addField(data: Record<string, unknown>, key: string, value: unknown): void {
  if (value === undefined || value === null || (typeof value === "number" && !Number.isFinite(value))) return;
  if (typeof value === "number" && key.endsWith("Microseconds"))
    data[quicNames[key] ?? spelled(key.slice(0, -"Microseconds".length))] = value / 1_000;
  else data[quicNames[key] ?? spelled(key)] = nested(value);
}

function nested(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nested);
  if (typeof value !== "object" || value === null) return value;
  const data: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) addField(data, key, inner);
  return data;
}

/** `path-manager:subflowRetry` to `path_manager:subflow_retry`. */
export function spelled(name: string): string {
  return name.replaceAll("-", "_").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
