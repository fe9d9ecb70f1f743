/** Leaves and spines, each leaf joined to each spine: a folded Clos network of two stages. As many shortest paths between leaves as spines. */
import * as z from "zod";
import { rate, whole } from "../quantity-schemas.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

export interface LeafSpineParameters extends LinkParameters {
  readonly leaves: number;
  readonly spines: number;
  readonly hostsPerLeaf: number;
  /** Of leaf to spine; the hosts' when left out. */
  readonly uplinkRate?: number;
}

export const leafSpine: Generator<LeafSpineParameters> = {
  schema: z.strictObject({
    leaves: whole("Switches that hosts are at.", 1, 256),
    spines: whole("Switches that join the leaves.", 1, 64),
    hostsPerLeaf: whole("Hosts at each leaf.", 1, 64),
    ...linkKeys,
    uplinkRate: z.exactOptional(rate("Of leaf to spine; that of the hosts when left out.")),
  }),

  generate({ leaves, spines, hostsPerLeaf, uplinkRate, ...link }) {
    const access = symmetric(link);
    const uplink = symmetric({ ...link, rate: uplinkRate ?? link.rate });
    const links: Record<string, GeneratedLink> = {};
    for (const leaf of upTo(leaves))
      for (const host of upTo(hostsPerLeaf))
        links[`access-${leaf}-${host}`] = { ends: [`host-${leaf}-${host}`, `leaf-${leaf}`], shape: access };
    for (const leaf of upTo(leaves))
      for (const spine of upTo(spines))
        links[`uplink-${leaf}-${spine}`] = { ends: [`leaf-${leaf}`, `spine-${spine}`], shape: uplink };
    return {
      hosts: upTo(leaves).flatMap((leaf) => upTo(hostsPerLeaf).map((host) => `host-${leaf}-${host}`)),
      routers: [],
      switches: [...upTo(leaves).map((leaf) => `leaf-${leaf}`), ...upTo(spines).map((spine) => `spine-${spine}`)],
      links,
    };
  },
};
