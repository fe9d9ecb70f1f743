import type { EndpointRecord, WorkloadResult } from "../../stack/endpoint/protocol.ts";
import { isTraceEvent, type StackEvent } from "../../stack/events.ts";
import { formatEndpoint } from "../../stack/wire/ip-address.ts";
import type { MetricSample } from "../metrics/metric-sample.ts";
import type { TimelineEvent } from "../metrics/timeline-event.ts";
import type { Plan } from "../plan/plan.ts";
import { stackTimelineEvent } from "./stack-event.ts";
import { subflowPaths } from "./subflow-path.ts";

export interface TranslatedRecord {
  readonly events: readonly TimelineEvent[];
  readonly samples: readonly MetricSample[];
  /** As the stack told it, on the run's time. */
  readonly trace?: StackEvent;
}

type RecordOf<Type extends EndpointRecord["type"]> = Extract<EndpointRecord, { type: Type }>;

const nothing: TranslatedRecord = { events: [], samples: [] };

/** Turns what endpoints say into lines of the timeline and samples, on the run's time. */
export class RecordTranslator {
  readonly #zero: number;
  readonly #pathOf: (subflow: string) => string | undefined;
  readonly #progressAt = new Map<string, number>();
  readonly #fellBack = new Set<string>();

  /** `zero`: CLOCK_MONOTONIC microseconds. */
  constructor(plan: Plan, zero: number) {
    this.#zero = zero;
    this.#pathOf = subflowPaths(plan);
  }

  translate(host: string, record: EndpointRecord): TranslatedRecord {
    const time = record.time - this.#zero;
    switch (record.type) {
      case "event":
        return this.#stackEvent(host, time, record.event);
      case "workload-event":
        return { ...nothing, events: [this.#workloadEvent(host, time, record)] };
      case "metrics":
        return this.#metrics(host, time, record);
      case "progress":
        return { ...nothing, samples: this.#progress(time, record) };
      case "error":
        return { ...nothing, events: [errorEvent(host, time, record)] };
      case "ready":
      case "listening":
      case "result":
        return nothing;
    }
  }

  /** What is only traced is no line of the timeline. */
  #stackEvent(host: string, time: number, event: StackEvent): TranslatedRecord {
    const trace = { ...event, time };
    if (isTraceEvent(event)) return { ...nothing, trace };
    return { ...nothing, events: [stackTimelineEvent(host, time, event)], trace };
  }

  #metrics(host: string, time: number, record: RecordOf<"metrics">): TranslatedRecord {
    const { id, mptcp, fallback, ...measured } = record.connection;
    const samples: MetricSample[] = [{ kind: "connection", time, host, connection: id, mptcp, ...measured }];
    for (const { id: subflow, interface: _, backup: _backup, stale: _stale, ...values } of record.subflows) {
      samples.push({
        kind: "subflow",
        time,
        host,
        connection: id,
        subflow,
        path: this.#pathOf(subflow) ?? "unknown",
        ...values,
      });
    }
    const key = `${host} ${id}`;
    if (fallback === undefined || this.#fellBack.has(key)) return { samples, events: [] };
    this.#fellBack.add(key);
    const message = `${host}: connection ${id} runs as plain TCP: ${fallback}`;
    return {
      samples,
      events: [
        {
          time,
          source: "endpoint",
          subject: host,
          name: "metrics:fallback",
          message,
          detail: { connection: id, fallback },
        },
      ],
    };
  }

  #progress(time: number, record: RecordOf<"progress">): MetricSample[] {
    const { workload, bytes, playbackBufferMicroseconds } = record;
    const before = this.#progressAt.get(workload);
    this.#progressAt.set(workload, time);
    // Without a record before it, or in its very microsecond, there is no time over which the bytes came.
    const goodputBitsPerSecond = before === undefined || time <= before ? 0 : (bytes * 8_000_000) / (time - before);
    return [
      {
        kind: "workload",
        time,
        workload,
        bytes,
        goodputBitsPerSecond,
        ...(playbackBufferMicroseconds !== undefined && { playbackBufferMicroseconds }),
      },
    ];
  }

  #workloadEvent(host: string, time: number, record: RecordOf<"workload-event">): TimelineEvent {
    const { workload, name } = record;
    if (name === "connected") this.#progressAt.set(workload, time);
    const detail = { host, ...this.#onRunTime(record.detail) };
    const message = `${workload}: ${workloadSentence(name, host, detail)}`;
    return { time, source: "workload", subject: workload, name: `workload:${name}`, message, detail };
  }

  /** Endpoints give moments as `at`. */
  #onRunTime(detail: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
    return typeof detail["at"] === "number" ? { ...detail, at: detail["at"] - this.#zero } : detail;
  }

  /** A result with its moments on the run's time. */
  result(result: WorkloadResult): WorkloadResult {
    const moved = (at: number): number => at - this.#zero;
    switch (result.kind) {
      case "receiver": {
        const { connectedAt, firstByteAt, lastByteAt, longestGapAt, playback, ...rest } = result;
        const moments = {
          connectedAt: moved(connectedAt),
          firstByteAt: moved(firstByteAt),
          lastByteAt: moved(lastByteAt),
          longestGapAt: moved(longestGapAt),
        };
        if (playback === undefined) return { ...rest, ...moments };
        const stalls = playback.stalls.map(({ at, microseconds }) => ({ at: moved(at), microseconds }));
        return { ...rest, ...moments, playback: { startedAt: moved(playback.startedAt), stalls } };
      }
      case "requester":
        return { ...result, connectedAt: moved(result.connectedAt), longestGapAt: moved(result.longestGapAt) };
      case "sender":
        return { ...result, connectedAt: moved(result.connectedAt) };
      case "responder":
        return result;
    }
  }
}

function errorEvent(host: string, time: number, { workload, code, message }: RecordOf<"error">): TimelineEvent {
  const about = workload ?? host;
  const name = workload === undefined ? "endpoint:error" : "workload:error";
  const source = workload === undefined ? "endpoint" : "workload";
  return {
    time,
    source,
    subject: about,
    name,
    message: `${about}: ${host} reports ${code}: ${message}`,
    detail: { host, code },
  };
}

function workloadSentence(name: string, host: string, detail: Readonly<Record<string, unknown>>): string {
  const value = (key: string): string => String(detail[key]);
  const end = (side: "local" | "remote"): string =>
    formatEndpoint(value(`${side}Address`), Number(detail[`${side}Port`]));
  switch (name) {
    case "connected":
      return `${host} is connected from ${end("local")} to ${end("remote")}`;
    case "first-byte":
      return `the first byte arrives at ${host}`;
    case "sending-ended":
      return `${host} has handed over all ${value("bytes")} bytes`;
    case "end-of-data":
      return `${host} has received the end of the data`;
    case "playback-started":
      return `${host} begins to play`;
    case "falls-behind":
      return `${host} falls behind: segment ${value("segment")} is due while ${value("backlogBytes")} bytes of those before still wait`;
    case "catches-up":
      return `${host} has caught up after ${value("lateSegments")} late segments`;
    case "stall-begun":
      return `playback at ${host} stalls: the buffer is empty`;
    case "stall-ended":
      return `playback at ${host} goes on after a stall of ${(Number(value("microseconds")) / 1e6).toFixed(3)} s`;
    case "unexpected-connection":
      return `${host} turned away a second connection, from ${value("from")}`;
    default:
      return `${name.replaceAll("-", " ")} at ${host}`;
  }
}
