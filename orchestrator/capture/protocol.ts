/**
 * What the capture process hears and says, a JSON value a line: first a {@link CaptureConfig}, then `{"do":"stop"}` or
 * the end of stdin. Exit code 0; 3 when the disk is full or the file cannot be written, with an `error` line before.
 */
export type CapturedInterface = {
  /** The file of the network namespace; left out: the capture's own. */
  namespacePath?: string;
  interfaceName: string;
  /** As readers of the file see it, such as `phone/wifi0`. */
  displayName: string;
  description?: string;
};

export type CaptureConfig = {
  interfaces: readonly CapturedInterface[];
  /** Written anew. */
  file: string;
  /** Bytes kept of each frame (default 192: all headers with all options). */
  snapLength?: number;
  /** Name and version for the section header. */
  application?: string;
};

export type CaptureControl = { do: "stop" };

export type CaptureSummary = {
  interfaces: { displayName: string; packets: number; drops: number }[];
  fileBytes: number;
  /** CLOCK_REALTIME minus CLOCK_MONOTONIC when the capture began and when it ended. */
  realtimeOffsetMicroseconds: { start: number; end: number };
};

export type CaptureLine =
  | { type: "ready"; realtimeOffsetMicroseconds: number }
  | { type: "error"; code?: string; message: string }
  | ({ type: "done" } & CaptureSummary);
