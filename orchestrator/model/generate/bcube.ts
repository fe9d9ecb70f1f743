/**
 * BCube (Guo et al., SIGCOMM 2009): servers with a port at a switch of each level, which forward for each other. Servers differ from their neighbours at a
 * switch of level l in digit l of their number alone. A server's forwarding is a router of its own here, joined to the host by a cable, so that what it
 * forwards and what it sends share the server's ports. Paths are the shortest ones, by ECMP: h! of them between servers that differ in h digits; or the paper's
 * disjoint ones, with a cable and an address for each level.
 */
import * as z from "zod";
import { whole } from "../quantity-schemas.ts";
import { insideLink, portLink, withoutDigit, type BCubeSize } from "./bcube-paths.ts";
import { linkKeys, symmetric, upTo } from "./generated-topology.ts";
import type { GeneratedLink, Generator, LinkParameters } from "./generated-topology.ts";

export interface BCubeParameters extends LinkParameters, BCubeSize {
  readonly paths: "shortest" | "disjoint";
}

export const bcube: Generator<BCubeParameters> = {
  schema: z.strictObject({
    ports: whole("Ports of a switch: ports^levels servers.", 2, 16),
    levels: whole("Levels of switches, and ports of a server.", 1, 4),
    paths: z
      .enum(["shortest", "disjoint"])
      .default("shortest")
      .describe(
        "disjoint: a host has an address for each level, and paths to them that share no server and no switch.",
      ),
    ...linkKeys,
  }),

  generate({ ports, levels, paths, ...link }) {
    const shape = symmetric(link);
    const servers = upTo(ports ** levels);
    const links: Record<string, GeneratedLink> = {};
    for (const server of servers) {
      const cable: GeneratedLink = { ends: [`host-${server}`, `forwarder-${server}`] };
      if (paths === "shortest") links[`inside-${server}`] = cable;
      else for (const level of upTo(levels)) links[insideLink(server, level)] = cable;
    }
    for (const server of servers)
      for (const level of upTo(levels))
        links[portLink(server, level)] = {
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
      ...(paths === "disjoint" && { disjointPaths: { ports, levels } }),
    };
  },
};
