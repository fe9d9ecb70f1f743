/** A fat tree of switches with k ports (Al-Fares, Loukissas, Vahdat, SIGCOMM 2008): k³/4 hosts, all links alike, (k/2)² shortest paths between pods. */
import * as z from "zod";
import { whole } from "../quantity-schemas.ts";
import { expected } from "../schema-diagnostics.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

export interface FatTreeParameters extends LinkParameters {
  readonly k: number;
}

export const fatTree: Generator<FatTreeParameters> = {
  schema: z.strictObject({
    k: whole("Ports of a switch, an even number: k³/4 hosts.", 2, 24).refine((k) => k % 2 === 0, {
      error: expected("an even number", "half of a switch's ports go up, half go down"),
    }),
    ...linkKeys,
  }),

  generate({ k, ...link }) {
    const half = k / 2;
    const shape = symmetric(link);
    const edges = upTo(k).flatMap((pod) => upTo(half).map((edge) => `${pod}-${edge}`));
    const links: Record<string, GeneratedLink> = {};
    for (const edge of edges)
      for (const host of upTo(half))
        links[`access-${edge}-${host}`] = { ends: [`host-${edge}-${host}`, `edge-${edge}`], shape };
    for (const pod of upTo(k))
      for (const edge of upTo(half))
        for (const up of upTo(half))
          links[`pod-${pod}-${edge}-${up}`] = { ends: [`edge-${pod}-${edge}`, `aggregation-${pod}-${up}`], shape };
    // The aggregation switch at place a of each pod reaches the cores of group a.
    for (const pod of upTo(k))
      for (const group of upTo(half))
        for (const core of upTo(half))
          links[`spine-${pod}-${group}-${core}`] = {
            ends: [`aggregation-${pod}-${group}`, `core-${group}-${core}`],
            shape,
          };
    return {
      hosts: edges.flatMap((edge) => upTo(half).map((host) => `host-${edge}-${host}`)),
      routers: [],
      switches: [
        ...edges.map((edge) => `edge-${edge}`),
        ...edges.map((place) => `aggregation-${place}`),
        ...upTo(half).flatMap((group) => upTo(half).map((core) => `core-${group}-${core}`)),
      ],
      links,
    };
  },
};
