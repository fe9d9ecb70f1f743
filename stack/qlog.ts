/**
 * Events as records of qlog (draft-ietf-quic-qlog-main-schema-13, sequential files: JSON text sequences, RFC 7464), for tools that read those. Names and fields are ours in
 * qlog's spelling; `recovery:metrics_updated` has the fields of the QUIC schema's event of that name, from which such tools draw windows and round trips.
 */

import type { StackEvent } from "./events.ts";

/** Before each record, of which each ends with a line feed. */
export const recordSeparator = "\u001e";

/** What stands before the colon of events' names. */
const namespaces = [
  "connection",
  "mptcp",
  "scheduler",
  "path_manager",
  "recovery",
  "congestion",
  "flow_control",
  "tcp",
] as const;

/** Whose names and fields these are, a schema for each namespace: docs/events.md. */
export const eventSchemas: readonly string[] = namespaces.map((name) => `urn:x-pathlab:qlog:1:events:${name}`);

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
      event_schemas: eventSchemas,
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

/** How a field is called in qlog, and what its values are divided by: durations become milliseconds and lose their unit from the name, as all of qlog's. */
interface Spelling {
  readonly name: string;
  readonly divisor: number;
}

/** There are some eighty of them, and thousands of events a second. */
const spellings = new Map<string, Spelling>();

function spellingOf(key: string): Spelling {
  let spelling = spellings.get(key);
  if (spelling === undefined) {
    const isDuration = key.endsWith("Microseconds");
    const name = quicNames[key] ?? spelled(isDuration ? key.slice(0, -"Microseconds".length) : key);
    spelling = { name, divisor: isDuration ? 1_000 : 1 };
    spellings.set(key, spelling);
  }
  return spelling;
}

const eventNames = new Map<string, string>();

function eventName(name: string): string {
  let known = eventNames.get(name);
  if (known === undefined) {
    known = spelled(name);
    eventNames.set(name, known);
  }
  return known;
}

/** What is not known, or infinite, is left out. */
export function qlogEvent(event: StackEvent): QlogEvent {
  const { time, name, connection } = event;
  const data: Record<string, unknown> = {};
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  for (const key in fields) if (!envelope.has(key)) addField(data, key, fields[key]);
  const head = { time: time / 1_000, name: eventName(name), group_id: String(connection) };
  if (!("subflow" in event) || event.subflow < 0) return { ...head, data };
  return { ...head, tuple: String(event.subflow), data };
}

/** These stand beside the data. */
const envelope: ReadonlySet<string> = new Set(["time", "name", "connection"]);

function addField(data: Record<string, unknown>, key: string, value: unknown): void {
  const { name, divisor } = spellingOf(key);
  if (typeof value === "number") {
    if (Number.isFinite(value)) data[name] = value / divisor;
  } else if (Array.isArray(value)) data[name] = value.map(nested);
  else if (value !== undefined && value !== null) data[name] = nested(value);
}

function nested(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const data: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) addField(data, key, inner);
  return data;
}

/** `path-manager:subflowRetry` to `path_manager:subflow_retry`. */
export function spelled(name: string): string {
  return name.replaceAll("-", "_").replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
