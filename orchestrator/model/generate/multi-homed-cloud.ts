/** Servers that are customers of several providers at once, and clients on the other side of the internet. */
import * as z from "zod";
import { duration, whole } from "../quantity-schemas.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

/** Rate, delay and buffer are those of each server's link to each of its providers. */
export interface MultiHomedCloudParameters extends LinkParameters {
  readonly servers: number;
  readonly providers: number;
  readonly clients: number;
  /** From a provider to the clients' side. */
  readonly transitDelay: number;
}

export const multiHomedCloud: Generator<MultiHomedCloudParameters> = {
  schema: z.strictObject({
    servers: whole("Hosts with a link to each provider.", 1, 1024),
    providers: whole("Providers of each server.", 1, 8),
    clients: whole("Hosts with one link.", 1, 1024),
    ...linkKeys,
    transitDelay: duration("From a provider to the internet's other side, one way.").default(0),
  }),

  generate({ servers, providers, clients, transitDelay, ...link }) {
    const shape = symmetric(link);
    const transit =
      transitDelay > 0
        ? { up: { delayMicroseconds: transitDelay }, down: { delayMicroseconds: transitDelay } }
        : undefined;
    const links: Record<string, GeneratedLink> = {};
    for (const server of upTo(servers))
      for (const provider of upTo(providers))
        links[`server-${server}-${provider}`] = { ends: [`server-${server}`, `provider-${provider}`], shape };
    for (const provider of upTo(providers))
      links[`transit-${provider}`] = {
        ends: [`provider-${provider}`, "internet"],
        ...(transit && { shape: transit }),
      };
    for (const client of upTo(clients)) links[`client-${client}`] = { ends: [`client-${client}`, "internet"] };
    return {
      hosts: [
        ...upTo(servers).map((server) => `server-${server}`),
        ...upTo(clients).map((client) => `client-${client}`),
      ],
      routers: [...upTo(providers).map((provider) => `provider-${provider}`), "internet"],
      switches: [],
      links,
    };
  },
};
