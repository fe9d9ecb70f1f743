/**
 * What the emulator process hears and says, a JSON value a line. The first line is an {@link EmulatorConfig}, all others
 * are {@link EmulatorControl}; it answers with {@link EmulatorLine}s. It ends when its stdin does.
 */
import type { SchedulingReport } from "../../../stack/io/clock.ts";
import type { LinkDirectionConfig, LinkDirectionCounters } from "../link-direction.ts";

export type EmulatedLinkEnd = {
  /** The file of the network namespace that holds the interface; left out: the emulator's own. */
  namespacePath?: string;
  /** The veth end that faces the emulator. */
  interfaceName: string;
};

export type EmulatedLink = {
  name: string;
  /** `forward` runs from the first end to the second. */
  ends: readonly [EmulatedLinkEnd, EmulatedLinkEnd];
  forward: LinkDirectionConfig;
  backward: LinkDirectionConfig;
};

export type EmulatorConfig = {
  links: readonly EmulatedLink[];
  /** SCHED_FIFO priority to ask for (default 10); 0: stay at normal priority. */
  realtimePriority?: number;
  /** Frames that all links together may hold (default 65,536); more are dropped and counted as `dropsMemory`. */
  heldFrames?: number;
};

export type LinkDirectionName = "forward" | "backward";

export type EmulatorControl = { id: number } & (
  | { do: "blackhole" | "restore"; link: string; direction: LinkDirectionName | "both" }
  | { do: "set"; link: string; direction: LinkDirectionName | "both"; config: Omit<LinkDirectionConfig, "seed"> }
  /** The first round of every trace begins at this time of the monotonic clock, which is still to come; until then those links have their mean rates. */
  | { do: "begin-traces"; timeMicroseconds: number }
  /** A `stats` line per direction, before the answer, and from then on in this interval; 0: none after that. */
  | { do: "stats"; everyMicroseconds: number }
  | { do: "quality" }
);

/** Totals of one direction since the start. */
export type LinkStats = LinkDirectionCounters & {
  link: string;
  direction: LinkDirectionName;
  /** Left out when the direction has no rate. */
  rateBitsPerSecond?: number;
  blackhole: boolean;
  /** Frames longer than the interface's MTU allows: un-segmented super-packets of a host with offload left on. */
  dropsOversize: number;
  /** Frames that found no memory, or that the kernel lost before the emulator read them. */
  dropsMemory: number;
  /** Frames that the far end's interface refused because it was down. */
  dropsEgress: number;
};

export type EmulatorQuality = {
  scheduling: SchedulingReport;
  releases: number;
  /** How long after its exact time a frame was given to the far end's interface. */
  latenessMicroseconds: { p50: number; p99: number; max: number };
};

export type EmulatorLine =
  | { type: "ready"; scheduling: SchedulingReport }
  | { type: "error"; code?: string; message: string }
  | { type: "answer"; id: number; ok: true; quality?: EmulatorQuality }
  | { type: "answer"; id: number; ok: false; message: string }
  | ({ type: "stats"; time: number } & LinkStats)
  /** An interface went down or came back under the emulator. */
  | { type: "interface"; interfaceName: string; code: string }
  /** Frames are lost that the link's configuration does not lose; said once per direction and reason. */
  | { type: "warning"; link: string; direction: LinkDirectionName; message: string }
  /** The last line. */
  | ({ type: "quality"; links: LinkStats[] } & EmulatorQuality);
