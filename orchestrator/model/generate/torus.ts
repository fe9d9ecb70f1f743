/**
 * The torus of the NSDI'11 paper: bottlenecks in a ring, and a sender for each that reaches its receiver over this bottleneck and the next. Moving traffic off
 * one congested link then has to go round the ring.
 */
import * as z from "zod";
import { whole } from "../quantity-schemas.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

export interface TorusParameters extends LinkParameters {
  readonly bottlenecks: number;
}

export const torus: Generator<TorusParameters> = {
  schema: z.strictObject({ bottlenecks: whole("Links in the ring; five in the paper.", 3, 256), ...linkKeys }),

  generate({ bottlenecks, ...link }) {
    const shape = symmetric(link);
    const links: Record<string, GeneratedLink> = {};
    for (const place of upTo(bottlenecks)) {
      links[`first-${place}`] = { ends: [`sender-${place}`, `in-${place}`] };
      links[`second-${place}`] = { ends: [`sender-${place}`, `in-${(place + 1) % bottlenecks}`] };
    }
    for (const place of upTo(bottlenecks))
      links[`bottleneck-${place}`] = { ends: [`in-${place}`, `out-${place}`], shape };
    for (const place of upTo(bottlenecks)) links[`exit-${place}`] = { ends: [`out-${place}`, "exit"] };
    for (const place of upTo(bottlenecks)) links[`access-${place}`] = { ends: [`receiver-${place}`, "exit"] };
    return {
      hosts: upTo(bottlenecks).flatMap((place) => [`sender-${place}`, `receiver-${place}`]),
      routers: [...upTo(bottlenecks).flatMap((place) => [`in-${place}`, `out-${place}`]), "exit"],
      switches: [],
      links,
    };
  },
};
