/**
 * BCube (Guo et al., SIGCOMM 2009): servers with a port at a switch of each level, which forward for each other. Servers differ from their neighbours at a
 * switch of level l in digit l of their number alone. A server's forwarding is a router of its own here, joined to the host by a cable, so that what it
 * forwards and what it sends share the server's ports. Paths are the shortest ones, by ECMP: h! of them between servers that differ in h digits.
 */
import * as z from "zod";
import { whole } from "../quantity-schemas.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

export interface BCubeParameters extends LinkParameters {
  /** Ports of a switch: n of the paper. */
  readonly ports: number;
  /** Ports of a server: k + 1 of the paper. */
  readonly levels: number;
}

export const bcube: Generator<BCubeParameters> = {
  schema: z.strictObject({
    ports: whole("Ports of a switch: ports^levels servers.", 2, 16),
    levels: whole("Levels of switches, and ports of a server.", 1, 4),
    ...linkKeys,
  }),

  generate({ ports, levels, ...link }) {
    const shape = symmetric(link);
    const servers = upTo(ports ** levels);
    const links: Record<string, GeneratedLink> = {};
    for (const server of servers) links[`inside-${server}`] = { ends: [`host-${server}`, `forwarder-${server}`] };
    for (const server of servers)
      for (const level of upTo(levels))
        links[`port-${server}-${level}`] = {
          ends: [`forwarder-${server}`, `switch-${level}-${withoutDigit(server, level, ports)}`],
          shape,
        };
    return {
      hosts: servers.map((server) => `host-${server}`),
      routers: servers.map((server) => `forwarder-${server}`),
      switches: upTo(levels).flatMap((level) =>
        upTo(ports ** (levels - 1)).map((number) => `switch-${level}-${number}`),
      ),
      links,
    };
  },
};

/** The number that is left when a digit is taken out: that of the switch which joins all servers that differ in that digit. */
function withoutDigit(server: number, digit: number, base: number): number {
  const low = server % base ** digit;
  return Math.floor(server / base ** (digit + 1)) * base ** digit + low;
}
