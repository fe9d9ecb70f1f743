/** What a script runs on: the pure host on a virtual clock, or the kernel behind a TUN device in real time. */

import type { VariableSource } from "./assertion.ts";
import type { Latitude } from "./latitude.ts";
import type { ScriptConfiguration } from "./script-configuration.ts";
import type { CallSpec } from "./syntax.ts";
import type { WireSegment } from "./wire-segment.ts";

export interface CapturedSegment {
  segment: WireSegment;
  /** Microseconds since the script began. */
  time: number;
}

/** What a call gave: a number, with the name of the error for -1. */
export interface CallResult {
  value: number;
  errno?: string;
}

/** Nothing yet: a blocking call would wait. */
export const wouldBlock = Symbol("would block");
export type CallOutcome = CallResult | typeof wouldBlock;

/** A call under way: asked again until it gives a result. */
export type PendingCall = () => CallOutcome;

/** Times are microseconds since the script began. */
export interface BackEnd {
  readonly now: number;
  /** What has been sent and no statement has looked at, in order. */
  readonly captured: CapturedSegment[];
  /** How far off from what the script says is still in time, for something that comes `interval` after what was before; undefined: as the script says. */
  tolerance(interval: number): number | undefined;
  /** What it was allowed to do otherwise than the script says, and did; undefined: the script was written for it. */
  readonly latitudes: Set<Latitude> | undefined;
  /** Called when everything that can happen at an instant has happened; what it throws, `advance` throws. */
  onSettled: (() => void) | undefined;
  /** Lets time pass until `time`; returns early when `until` says so after something has happened. */
  advance(time: number, until?: () => boolean): void | Promise<void>;
  inject(segment: WireSegment): void;
  /** @throws ScriptUnsupported for a call that cannot be made here */
  begin(call: CallSpec): PendingCall;
  /** What a call gives that the script does not expect to wait. */
  completion(pending: PendingCall): CallOutcome | Promise<CallOutcome>;
  /** The socket of the call is one that does not wait: a result that is not there is EAGAIN. */
  answersAgain(call: CallSpec): boolean;
  /** A command after the first socket; false: it cannot be run here. */
  runCommand(command: string): boolean | Promise<boolean>;
  /** What `%{ }%` may ask. */
  variables(): VariableSource | Promise<VariableSource>;
  /** A byte that was read and is not the one that was sent at its place. */
  corruption(): { descriptor: number; offset: number } | undefined;
  close(): void | Promise<void>;
}

/** Comes into being with the script's first socket: by then the script has said how the machine is to be. */
export type BackEndFactory = (configuration: ScriptConfiguration, mptcp: boolean) => BackEnd | Promise<BackEnd>;
