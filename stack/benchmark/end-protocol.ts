/** What the two kinds of ends, kernel_end.c and our-end.ts, are asked for, and what they answer in JSON lines. */

/** What a server does with what comes: nothing, or it sends it back. */
export type Service = "discard" | "echo";

export type EndTask =
  | { mode: "serve"; service: Service }
  /** One connection, written to as fast as it takes it, until the end's input ends. */
  | { mode: "stream" }
  /** One connection: a byte there and back, `count` times. */
  | { mode: "echo"; count: number }
  /** `count` connections, one after the other: how long each takes to be established. */
  | { mode: "open"; count: number }
  /** `count` connections, `inFlight` at a time: set up, a byte there and back, closed. */
  | { mode: "churn"; count: number; inFlight: number }
  /** `count` connections that stay. */
  | { mode: "hold"; count: number };

/** What an end of a soak has and holds. */
export type SoakSample = {
  bytes: number;
  /** Hashes of blocks that have become whole since the last sample. */
  blocks: string[];
  rss: number;
  heapUsed: number;
  external: number;
  /** Payload bytes of each subflow, acknowledged or received. */
  subflows: number[];
};

export type EndMessage =
  /** The server listens; the client begins. */
  | { ready: true }
  | { connected: true }
  /** Microseconds each, in the order in which they were taken. */
  | { samples: number[] }
  | { seconds: number }
  | { held: number }
  | { soak: SoakSample }
  /** The answer to a line of input: bytes of payload that the application has read or written so far, and CLOCK_MONOTONIC. */
  | { bytes: number; microseconds: number };

/** After protocol and address, as the arguments of kernel_end. */
export function taskArguments(task: EndTask): string[] {
  switch (task.mode) {
    case "serve":
      return [task.service];
    case "stream":
      return [];
    case "churn":
      return [String(task.count), String(task.inFlight)];
    default:
      return [String(task.count)];
  }
}
