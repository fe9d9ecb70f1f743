/** The form of a topology file. What needs more than one place of it to be judged is in `topology-checks.ts`. */
import * as z from "zod";
import { generateSchema } from "./generate/generators.ts";
import {
  addressings,
  familyOfText,
  formatIpAddress,
  isHostAddress,
  parseAddress,
  prefixLengths,
  type AddressFamily,
  type Addressing,
} from "./ip-address.ts";
import type { LinkShape } from "./link-profile.ts";
import { checkShape, profiles, shapeKeys, toShape } from "./link-shape-schema.ts";
import { entityName, formatVersion, text, whole } from "./quantity-schemas.ts";
import { expected } from "./schema-diagnostics.ts";
import type { TopologyLinkEnd } from "./topology.ts";

/** IFNAMSIZ less the terminating zero. */
const interfaceNameLimit = 15;

const interfaceName = z
  .string()
  .max(interfaceNameLimit, {
    error: expected(
      `an interface name of at most ${interfaceNameLimit} characters`,
      "the kernel takes no longer one; shorten it",
    ),
  })
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, {
    error: expected("an interface name of letters, digits, hyphens, dots and underscores", "rename it, as in wifi0"),
  })
  .refine((name) => name !== "lo", {
    error: expected("another interface name than lo", "every node has a loopback interface of that name already"),
  })
  .describe("The interface's name inside the node.");

const addressFormat = /^(\d{1,3}(\.\d{1,3}){3}\/\d{1,2}|[\da-fA-F:.]*:[\da-fA-F:.]*\/\d{1,3})$/;

const addressForm: Readonly<Record<AddressFamily, { readonly parts: string; readonly example: string }>> = {
  ipv4: { parts: "four numbers from 0 to 255", example: "as in 10.0.1.2/24" },
  ipv6: { parts: "eight hexadecimal groups", example: "as in 2001:db8:0:1::2/64" },
};

const reservedAddresses: Readonly<Record<AddressFamily, string>> = {
  ipv4: "the subnet's own, its broadcast, loopback and multicast addresses are none",
  ipv6: "the subnet's own, loopback, link-local, IPv4-mapped and multicast addresses are none",
};

const address = z
  .string({ error: expected("an address with its prefix length", "as in 10.0.1.2/24") })
  .regex(addressFormat, {
    error: expected("an IPv4 or IPv6 address with its prefix length", "as in 10.0.1.2/24 or 2001:db8:0:1::2/64"),
  })
  .transform((written, context) => {
    const [host, length] = written.split("/") as [string, string];
    const prefixLength = Number(length);
    const family = familyOfText(host);
    const { parts, example } = addressForm[family];
    const [shortest, longest] = prefixLengths[family];
    const parsed = parseAddress(host);
    if (parsed === undefined) context.addIssue(expected(`${parts} as the address`, example));
    else if (prefixLength < shortest || prefixLength > longest)
      context.addIssue(expected(`a prefix length from ${shortest} to ${longest}`, example));
    else if (!isHostAddress(parsed, prefixLength))
      context.addIssue(expected("the address of a host", `${reservedAddresses[family]}; ${example}`));
    return { address: parsed === undefined ? host : formatIpAddress(parsed), prefixLength };
  })
  .meta({
    description: "Address with prefix length, of the link's family; chosen by the plan when left out.",
    examples: ["10.0.1.2/24", "2001:db8:0:1::2/64"],
  });

const mac = z
  .string()
  .regex(/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/, {
    error: expected("six pairs of small hexadecimal digits with colons", "as in 02:00:00:00:00:01"),
  })
  .refine((written) => (Number.parseInt(written.slice(0, 2), 16) & 1) === 0 && written !== "00:00:00:00:00:00", {
    error: expected("the address of one station", "an odd first pair is multicast; as in 02:00:00:00:00:01"),
  })
  .describe("Ethernet address; chosen by the plan when left out.");

const endText = z
  .string()
  .regex(/^[^:\s]+(:[^:\s]+)?$/, { error: expected("NODE or NODE:INTERFACE", "as in phone:wifi0") })
  .transform((written, context): TopologyLinkEnd => {
    const [node, name] = written.split(":") as [string, string?];
    if (name === undefined) return { node };
    const checked = interfaceName.safeParse(name);
    for (const issue of checked.error?.issues ?? []) context.addIssue(issue.message);
    return { node, interface: name };
  })
  .meta({ description: "NODE, or NODE:INTERFACE.", examples: ["phone:wifi0", "internet"] });

const endObject = z
  .strictObject({
    node: z.string().describe("Name of a host or router."),
    interface: z.exactOptional(interfaceName),
    address: z.exactOptional(address),
    mac: z.exactOptional(mac),
  })
  .transform((end): TopologyLinkEnd => end);

const end = z.union([endText, endObject], {
  error: expected("NODE, NODE:INTERFACE, or a mapping with node, interface, address and mac", "as in phone:wifi0"),
});

/** A link as its file says it, before its profile is looked up. */
export interface WrittenLink {
  readonly description?: string;
  readonly ends: readonly [TopologyLinkEnd, TopologyLinkEnd];
  readonly profile?: string;
  readonly shape: LinkShape;
  readonly mtu?: number;
  readonly addressing?: Addressing;
}

const link = z
  .strictObject({
    description: z.exactOptional(text("What this link stands for.")),
    ends: z
      .array(end, { error: expected("a list of two ends", "as in [phone:wifi0, wifi-router]") })
      .refine((ends) => ends.length === 2, {
        error: expected("a list of two ends", "as in [phone:wifi0, wifi-router]"),
      })
      .meta({ description: "The two nodes that it joins; the first is the user's side.", minItems: 2, maxItems: 2 }),
    profile: z.exactOptional(z.string().describe("Name of a link profile, of profiles.yaml or of this file.")),
    mtu: z.exactOptional(whole("Bytes of IP packet that fit into a frame.", 576, 9000)),
    addressing: z.exactOptional(
      z.enum(addressings).describe("The family of its addresses, where it is not the topology's."),
    ),
    ...shapeKeys,
  })
  .superRefine(checkShape)
  .transform(({ description, ends, profile, mtu, addressing, ...shape }): WrittenLink => ({
    ...(description !== undefined && { description }),
    ends: ends as [TopologyLinkEnd, TopologyLinkEnd],
    ...(profile !== undefined && { profile }),
    ...(mtu !== undefined && { mtu }),
    ...(addressing !== undefined && { addressing }),
    shape: toShape(shape),
  }));

const node = z.strictObject({ description: z.exactOptional(text("What this node stands for.")) });

const router = node.extend({
  balance: z.exactOptional(
    z
      .enum(["flows", "packets"])
      .describe("Over next hops of equal cost: flow by flow (default), or a packet over each in turn."),
  ),
});

export const topologySchema = z
  .strictObject({
    version: formatVersion,
    name: entityName.describe("Name of the topology."),
    description: z.exactOptional(text("What this topology stands for.")),
    addressing: z
      .enum(addressings)
      .default("ipv4")
      .describe("The family of all addresses; dual: one of each on every interface."),
    generate: z.exactOptional(generateSchema),
    hosts: z.record(entityName, node).default({}).describe("Where endpoints run; they do not forward."),
    routers: z.record(entityName, router).default({}).describe("Nodes that forward packets."),
    switches: z.record(entityName, router).default({}).describe("Nodes that forward packets too, drawn as switches."),
    links: z
      .record(entityName, link)
      .default({})
      .describe(
        "Links between two nodes; their order numbers the subnets, and the first of a host carries its default route.",
      ),
    profiles: profiles.default({}).describe("Link profiles of this file's own."),
  })
  .meta({ title: "pathlab topology", description: "Hosts, routers and the links between them." });

export type WrittenTopology = z.output<typeof topologySchema>;
