/**
 * VL2 (Greenberg et al., SIGCOMM 2009): racks at two aggregation switches each, all of which reach all intermediate switches, over links faster than the
 * hosts'. The paper's valiant load balancing over anycast addresses is here ECMP by flow.
 */
import * as z from "zod";
import { rate, whole } from "../quantity-schemas.ts";
import { expected } from "../schema-diagnostics.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

export interface Vl2Parameters extends LinkParameters {
  /** D_A of the paper: half of them go to racks, half to intermediate switches. */
  readonly aggregationPorts: number;
  /** D_I of the paper: as many aggregation switches. */
  readonly intermediatePorts: number;
  readonly hostsPerRack: number;
  /** Between switches; ten times the hosts' when left out. */
  readonly uplinkRate?: number;
}

const even = (value: number): boolean => value % 2 === 0;
const evenError = { error: expected("an even number", "half of them go each way, or each rack takes two") };

export const vl2: Generator<Vl2Parameters> = {
  schema: z.strictObject({
    aggregationPorts: whole("Ports of an aggregation switch.", 2, 48).refine(even, evenError),
    intermediatePorts: whole("Ports of an intermediate switch.", 2, 48).refine(even, evenError),
    hostsPerRack: whole("Hosts in a rack; 20 in the paper.", 1, 64).default(20),
    ...linkKeys,
    uplinkRate: z.exactOptional(rate("Between switches; ten times that of the hosts when left out.")),
  }),

  generate({ aggregationPorts, intermediatePorts, hostsPerRack, uplinkRate, ...link }) {
    const access = symmetric(link);
    const uplink = symmetric({ ...link, rate: uplinkRate ?? 10 * link.rate });
    const racks = (aggregationPorts * intermediatePorts) / 4;
    const intermediates = aggregationPorts / 2;
    const links: Record<string, GeneratedLink> = {};
    for (const rack of upTo(racks))
      for (const host of upTo(hostsPerRack))
        links[`access-${rack}-${host}`] = { ends: [`host-${rack}-${host}`, `rack-${rack}`], shape: access };
    // Neighbouring aggregation switches are a pair that serves D_A/2 racks.
    for (const rack of upTo(racks)) {
      const pair = Math.floor(rack / (aggregationPorts / 2));
      for (const side of upTo(2))
        links[`rack-${rack}-${side}`] = { ends: [`rack-${rack}`, `aggregation-${2 * pair + side}`], shape: uplink };
    }
    for (const aggregation of upTo(intermediatePorts))
      for (const intermediate of upTo(intermediates))
        links[`uplink-${aggregation}-${intermediate}`] = {
          ends: [`aggregation-${aggregation}`, `intermediate-${intermediate}`],
          shape: uplink,
        };
    return {
      hosts: upTo(racks).flatMap((rack) => upTo(hostsPerRack).map((host) => `host-${rack}-${host}`)),
      routers: [],
      switches: [
        ...upTo(racks).map((rack) => `rack-${rack}`),
        ...upTo(intermediatePorts).map((aggregation) => `aggregation-${aggregation}`),
        ...upTo(intermediates).map((intermediate) => `intermediate-${intermediate}`),
      ],
      links,
    };
  },
};
