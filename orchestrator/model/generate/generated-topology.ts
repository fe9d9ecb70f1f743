/** What a generator makes: nodes and links of a regular network, by name. Generators are pure; each is a file with the form of its parameters. */
import type * as z from "zod";
import type { BufferShape, DirectionShape, LinkShape } from "../link-profile.ts";
import type { BCubeSize } from "./bcube-paths.ts";
import { buffer, duration, rate } from "../quantity-schemas.ts";

export interface GeneratedLink {
  /** The first end is the one nearer to the hosts. */
  readonly ends: readonly [string, string];
  /** Absent: a plain cable. */
  readonly shape?: LinkShape;
}

export interface GeneratedTopology {
  readonly hosts: readonly string[];
  readonly routers: readonly string[];
  readonly switches: readonly string[];
  /** By name; in the order in which their subnets are numbered: hosts that are near to each other get neighbouring ones. */
  readonly links: Readonly<Record<string, GeneratedLink>>;
  /** Of a BCube whose routes are the paper's disjoint paths. */
  readonly disjointPaths?: BCubeSize;
}

export interface Generator<Parameters> {
  readonly schema: z.ZodType<Parameters>;
  generate(parameters: Parameters): GeneratedTopology;
}

/** Of a switch's port, as in the simulations of the NSDI'11 and SIGCOMM'11 papers. */
const defaultPortBuffer: BufferShape = { packets: 100 };

/** Keys of a link that generators take: the same for both directions. */
export const linkKeys = {
  rate: rate("Bits of Ethernet frame a second, each way."),
  delay: duration("Propagation delay of each link, one way.").default(0),
  buffer: buffer("What may wait at each port; 100 packets when left out.").default(defaultPortBuffer as never),
};

export interface LinkParameters {
  readonly rate: number;
  readonly delay: number;
  readonly buffer: BufferShape;
}

/** The same both ways. */
export function symmetric({ rate: rateBitsPerSecond, delay, buffer: waiting }: LinkParameters): LinkShape {
  const direction: DirectionShape = {
    rateBitsPerSecond,
    ...(delay > 0 && { delayMicroseconds: delay }),
    buffer: waiting,
  };
  return { up: direction, down: direction };
}

/** 0 … count − 1. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
