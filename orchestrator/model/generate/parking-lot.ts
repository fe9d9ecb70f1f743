/** A chain of equal bottlenecks: one pair of hosts over all of them, and a pair over each. */
import * as z from "zod";
import { whole } from "../quantity-schemas.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

export interface ParkingLotParameters extends LinkParameters {
  readonly bottlenecks: number;
}

export const parkingLot: Generator<ParkingLotParameters> = {
  schema: z.strictObject({ bottlenecks: whole("Links in the chain.", 1, 256), ...linkKeys }),

  generate({ bottlenecks, ...link }) {
    const shape = symmetric(link);
    const links: Record<string, GeneratedLink> = {
      "access-long-source": { ends: ["long-source", "router-0"] },
      "access-long-sink": { ends: ["long-sink", `router-${bottlenecks}`] },
    };
    for (const hop of upTo(bottlenecks)) {
      links[`access-source-${hop}`] = { ends: [`source-${hop}`, `router-${hop}`] };
      links[`access-sink-${hop}`] = { ends: [`sink-${hop}`, `router-${hop + 1}`] };
    }
    for (const hop of upTo(bottlenecks))
      links[`bottleneck-${hop}`] = { ends: [`router-${hop}`, `router-${hop + 1}`], shape };
    return {
      hosts: ["long-source", "long-sink", ...upTo(bottlenecks).flatMap((hop) => [`source-${hop}`, `sink-${hop}`])],
      routers: upTo(bottlenecks + 1).map((router) => `router-${router}`),
      switches: [],
      links,
    };
  },
};
