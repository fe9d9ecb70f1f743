/** Pairs of hosts on the two sides of one bottleneck. */
import * as z from "zod";
import { duration, rate, whole } from "../quantity-schemas.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

/** Rate, delay and buffer are the bottleneck's. */
export interface DumbbellParameters extends LinkParameters {
  readonly pairs: number;
  /** Of each host's own link; plain cables when left out. */
  readonly accessRate?: number;
  readonly accessDelay: number;
}

export const dumbbell: Generator<DumbbellParameters> = {
  schema: z.strictObject({
    pairs: whole("Hosts on each side.", 1, 4096),
    ...linkKeys,
    accessRate: z.exactOptional(rate("Of each host's own link; a plain cable when left out.")),
    accessDelay: duration("Of each host's own link.").default(0),
  }),

  generate({ pairs, accessRate, accessDelay, ...bottleneck }) {
    const shape =
      accessRate !== undefined
        ? symmetric({ ...bottleneck, rate: accessRate, delay: accessDelay })
        : accessDelay > 0
          ? { up: { delayMicroseconds: accessDelay }, down: { delayMicroseconds: accessDelay } }
          : undefined;
    const links: Record<string, GeneratedLink> = {};
    for (const side of ["left", "right"])
      for (const pair of upTo(pairs))
        links[`access-${side}-${pair}`] = { ends: [`${side}-${pair}`, `router-${side}`], ...(shape && { shape }) };
    links["bottleneck"] = { ends: ["router-left", "router-right"], shape: symmetric(bottleneck) };
    return {
      hosts: ["left", "right"].flatMap((side) => upTo(pairs).map((pair) => `${side}-${pair}`)),
      routers: ["router-left", "router-right"],
      switches: [],
      links,
    };
  },
};
