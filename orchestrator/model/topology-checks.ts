/** What of a topology can only be judged over several places of its file: names that must exist or be unique, subnets, reachability, complete shapes. */
import { formatFound, nearestName, suggestName } from "./diagnostics.ts";
import {
  familiesOf,
  familyName,
  familyOf,
  familyOfText,
  formatSubnet,
  parseAddress,
  subnetOf,
  subnetsOverlap,
} from "./ip-address.ts";
import type { AddressFamily, Subnet } from "./ip-address.ts";
import { bufferBytes, overlayShape, unshaped } from "./link-profile.ts";
import type { DirectionShape, LinkProfile } from "./link-profile.ts";
import type { ExpandedTopology } from "./expand-topology.ts";
import type { Complain, Complaint } from "./yaml-source.ts";

export function checkTopology(topology: ExpandedTopology, shipped: Readonly<Record<string, LinkProfile>>): Complaint[] {
  const complaints: Complaint[] = [];
  const complain: Complain = (complaint) => void complaints.push(complaint);
  checkNodes(topology, complain);
  const sound = checkEnds(topology, complain);
  checkInterfaces(topology, complain);
  checkFamily(topology, complain);
  checkAddresses(topology, complain);
  if (sound) checkReachability(topology, complain);
  checkShapes(topology, shipped, complain);
  return complaints;
}

function checkNodes({ hosts, routers, links }: ExpandedTopology, complain: Complain): void {
  const hostNames = Object.keys(hosts);
  if (hostNames.length < 2) {
    const found = hostNames.length === 0 ? "no host" : `only ${hostNames[0]}`;
    complain({
      path: ["hosts"],
      at: "key",
      found,
      expected: "at least two hosts",
      hint: "packets need somewhere to go; add one, as in server: {}",
    });
  }
  const nodes = [...hostNames, ...Object.keys(routers)];
  const known = new Set(nodes);
  // A name that was misspelled at a link's end is told there.
  const named = new Set(
    Object.values(links).flatMap(({ ends }) =>
      ends.map(({ node }) => (known.has(node) ? node : nearestName(node, nodes))),
    ),
  );
  for (const name of nodes) {
    if (named.has(name)) continue;
    complain({
      path: [sectionOf(name, routers), name],
      at: "key",
      found: `${name} at the end of no link`,
      expected: "each node at the end of a link",
      hint: "add a link to it, or remove it",
    });
  }
}

function sectionOf(name: string, routers: ExpandedTopology["routers"]): "hosts" | "routers" | "switches" {
  const router = Object.hasOwn(routers, name) ? routers[name] : undefined;
  if (router === undefined) return "hosts";
  return router.kind === "switch" ? "switches" : "routers";
}

/** @returns whether all links join two nodes */
function checkEnds({ hosts, routers, links }: ExpandedTopology, complain: Complain): boolean {
  let sound = true;
  const nodes = [...Object.keys(hosts), ...Object.keys(routers)];
  const known = new Set(nodes);
  for (const [link, { ends }] of Object.entries(links)) {
    for (const [side, { node }] of ends.entries()) {
      if (known.has(node)) continue;
      sound = false;
      complain({
        path: ["links", link, "ends", side],
        found: `unknown node ${formatFound(node)}`,
        expected: "a host or router of this file",
        hint: suggestName(node, nodes),
      });
    }
    if (ends[0].node === ends[1].node) {
      sound = false;
      complain({
        path: ["links", link, "ends"],
        at: "key",
        found: `${ends[0].node} at both ends`,
        expected: "two nodes",
        hint: "a link from a node to itself carries nothing; change one end",
      });
    }
  }
  return sound;
}

function checkInterfaces({ links }: ExpandedTopology, complain: Complain): void {
  const interfaces = new Map<string, string>();
  const macs = new Map<string, string>();
  for (const [link, { ends }] of Object.entries(links)) {
    for (const [side, end] of ends.entries()) {
      const path = ["links", link, "ends", side];
      if (end.interface !== undefined) {
        const key = `${end.node}:${end.interface}`;
        const other = interfaces.get(key);
        if (other !== undefined)
          complain({
            path,
            found: `interface ${key} again`,
            expected: "each interface at one link",
            hint: `link ${other} has it already; give it another name`,
          });
        interfaces.set(key, link);
      }
      if (end.mac !== undefined) {
        const other = macs.get(end.mac);
        if (other !== undefined)
          complain({
            path: [...path, "mac"],
            found: `${end.mac} again`,
            expected: "each Ethernet address once",
            hint: `link ${other} has it already; change it or leave it out`,
          });
        macs.set(end.mac, link);
      }
    }
  }
}

/** Of every link of IPv6 (RFC 8200 §5). */
const leastIpv6Mtu = 1280;
const standardMtu = 1500;
const ethernetHeaderLength = 14;

function checkFamily({ addressing, links }: ExpandedTopology, complain: Complain): void {
  for (const [link, { ends, mtu, addressing: own = addressing }] of Object.entries(links)) {
    for (const [side, { address }] of ends.entries()) {
      const family = address && familyOfText(address.address);
      if (family === undefined || familiesOf[own].includes(family)) continue;
      complain({
        path: ["links", link, "ends", side, "address"],
        found: `${address!.address}/${address!.prefixLength}`,
        expected: `an ${familyName[own as AddressFamily]} address`,
        hint: `addressing: ${family} of the link or of the topology makes it that of this one, addressing: dual gives each interface both`,
      });
    }
    if (own !== "ipv4" && mtu !== undefined && mtu < leastIpv6Mtu)
      complain({
        path: ["links", link, "mtu"],
        found: String(mtu),
        expected: `at least ${leastIpv6Mtu}, with addressing: ${own}`,
        hint: "every link of IPv6 carries that much (RFC 8200 §5)",
      });
  }
}

function checkAddresses({ links }: ExpandedTopology, complain: Complain): void {
  const owners = new Map<string, string>();
  const subnets: { link: string; subnet: Subnet }[] = [];
  for (const [link, { ends }] of Object.entries(links)) {
    const ownOf = new Map<AddressFamily, Subnet>();
    for (const [side, { address }] of ends.entries()) {
      if (!address) continue;
      const path = ["links", link, "ends", side, "address"];
      const written = `${address.address}/${address.prefixLength}`;
      const owner = owners.get(address.address);
      const parsed = parseAddress(address.address);
      // The schema has told what is none.
      if (parsed === undefined) continue;
      const subnet = subnetOf(parsed, address.prefixLength);
      const family = familyOf(parsed);
      const own = ownOf.get(family);
      if (owner !== undefined) {
        complain({
          path,
          found: `${address.address} again`,
          expected: "each address once",
          hint: `link ${owner} has it already; change it or leave it out`,
        });
      } else if (own && formatSubnet(own) !== formatSubnet(subnet)) {
        complain({
          path,
          found: written,
          expected: `an address in ${formatSubnet(own)}`,
          hint: "the two ends of a link are in one subnet",
        });
      } else if (!own) {
        const clash = subnets.find((other) => subnetsOverlap(other.subnet, subnet));
        if (clash)
          complain({
            path,
            found: written,
            expected: "a subnet of the link's own",
            hint: `link ${clash.link} has ${formatSubnet(clash.subnet)}; change one of the two`,
          });
        else subnets.push({ link, subnet });
      }
      if (own === undefined) ownOf.set(family, subnet);
      owners.set(address.address, link);
    }
  }
}

/** Hosts do not forward, so what lies behind a host is not reached through it. */
function checkReachability({ hosts, routers, links }: ExpandedTopology, complain: Complain): void {
  const neighbours = new Map<string, string[]>();
  const join = (node: string, peer: string): void => {
    const list = neighbours.get(node);
    if (list === undefined) neighbours.set(node, [peer]);
    else list.push(peer);
  };
  for (const {
    ends: [a, b],
  } of Object.values(links)) {
    join(a.node, b.node);
    join(b.node, a.node);
  }
  const linked = Object.keys(hosts).filter((host) => neighbours.has(host));
  const first = linked[0];
  if (first === undefined) return;
  const reached = new Set([first]);
  const frontier = [first];
  for (let node = frontier.shift(); node !== undefined; node = frontier.shift()) {
    for (const next of neighbours.get(node)!) {
      if (reached.has(next)) continue;
      reached.add(next);
      if (Object.hasOwn(routers, next)) frontier.push(next);
    }
  }
  for (const host of linked) {
    if (reached.has(host)) continue;
    complain({
      path: ["hosts", host],
      at: "key",
      found: `${host} out of reach of ${first}`,
      expected: "a path between all hosts",
      hint: "hosts do not forward; join the two by links and routers",
    });
  }
}

function checkShapes(
  { links, profiles }: ExpandedTopology,
  shipped: Readonly<Record<string, LinkProfile>>,
  complain: Complain,
): void {
  for (const name of Object.keys(profiles)) {
    if (!Object.hasOwn(shipped, name)) continue;
    complain({
      path: ["profiles", name],
      at: "key",
      found: `the name ${name} again`,
      expected: "a name of its own",
      hint: "profiles.yaml has a profile of this name, and it means the same everywhere; rename this one",
    });
  }
  const known = { ...shipped, ...profiles };
  for (const [link, { profile, shape, mtu = standardMtu }] of Object.entries(links)) {
    if (profile !== undefined && !Object.hasOwn(known, profile)) {
      complain({
        path: ["links", link, "profile"],
        found: `unknown profile ${formatFound(profile)}`,
        expected: "a profile of profiles.yaml or of this file",
        hint: suggestName(profile, Object.keys(known)),
      });
      continue;
    }
    const whole = overlayShape(profile === undefined ? unshaped : known[profile]!.shape, shape);
    for (const side of ["up", "down"] as const) if (checkDirection(link, whole[side], mtu, complain)) break;
  }
}

/** @returns whether there was something to complain about, so that both directions are not told the same */
function checkDirection(link: string, shape: DirectionShape, mtu: number, complain: Complain): boolean {
  const at = "key" as const;
  if (shape.buffer && shape.rateBitsPerSecond === undefined && shape.trace === undefined) {
    complain({
      path: ["links", link, "buffer"],
      at,
      found: "a buffer without a rate",
      expected: "a rate with it",
      hint: "nothing waits where nothing is slow; add rate, as in rate: 8mbit",
    });
    return true;
  }
  const frame = mtu + ethernetHeaderLength;
  const room = shape.buffer && bufferBytes(shape.buffer, shape.rateBitsPerSecond ?? Infinity);
  if (room !== undefined && room < frame) {
    complain({
      path: ["links", link, "buffer"],
      at,
      found: `a buffer of ${Math.floor(room)} bytes`,
      expected: `room for a full frame of ${frame}`,
      hint: "full frames that come while another is sent would all be lost; write at least 1packet",
    });
    return true;
  }
  if (shape.queueManagement && shape.rateBitsPerSecond === undefined && shape.trace === undefined) {
    complain({
      path: ["links", link, "aqm"],
      at,
      found: "a queue's management without a rate",
      expected: "a rate with it",
      hint: "nothing waits where nothing is slow; add rate, as in rate: 8mbit",
    });
    return true;
  }
  if (shape.jitter?.distribution === "uniform" && shape.jitter.microseconds > (shape.delayMicroseconds ?? 0)) {
    complain({
      path: ["links", link, "jitter"],
      at,
      found: "a jitter longer than the delay",
      expected: "a delay at least as long",
      hint: "no packet arrives before it was sent; raise delay or lower jitter",
    });
    return true;
  }
  return false;
}
