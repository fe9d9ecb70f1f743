/** What breaks, and when, as an experiment file says it. */
import * as z from "zod";
import { faultActions } from "./experiment.ts";
import type { Fault } from "./experiment.ts";
import { checkShape, shapeKeys, toShape } from "./link-shape-schema.ts";
import { duration } from "./quantity-schemas.ts";
import { expected } from "./schema-diagnostics.ts";

export const fault = z
  .strictObject({
    at: duration("When, from the run's zero."),
    link: z.exactOptional(z.string().describe("The link that it happens to.")),
    node: z.exactOptional(
      z.string().describe("Instead of a link: the router or switch all of whose links it happens to."),
    ),
    do: z
      .enum(faultActions as ["set"])
      .describe(
        "blackhole drops everything silently, restore ends that; down and up are interface events; set changes the link.",
      ),
    reroute: z.exactOptional(
      duration("With blackhole and restore: routers take other routes this long after; without it they never notice."),
    ),
    to: z.exactOptional(
      z
        .strictObject(shapeKeys)
        .superRefine(checkShape)
        .transform(toShape)
        .describe("With set: the link's new values; others stay."),
    ),
  })
  .superRefine((value, context) => {
    const silent = ["blackhole", "restore"].includes(value.do);
    if ((value.link === undefined) === (value.node === undefined)) {
      context.addIssue({
        code: "custom",
        path: [value.link === undefined ? "link" : "node"],
        message: expected("either link or node", "say to what it happens, as in link: wifi"),
      });
    }
    if (value.node !== undefined && !silent) {
      context.addIssue({
        code: "custom",
        path: ["node"],
        message: expected("a link with this action", "nodes fail and come back by blackhole and restore"),
      });
    }
    if (value.reroute !== undefined && !silent) {
      context.addIssue({
        code: "custom",
        path: ["reroute"],
        message: expected("no reroute with this action", "it goes with blackhole and restore"),
      });
    }
    if (value.do === "set" && value.to === undefined) {
      context.addIssue({
        code: "custom",
        path: ["to"],
        message: expected("the link's new values", "as in to: { rate: 1mbit }"),
      });
    }
    if ((value.do as string) !== "set" && value.to !== undefined) {
      context.addIssue({
        code: "custom",
        path: ["to"],
        message: expected("no values with this action", "write do: set, or leave them out"),
      });
    }
  })
  .transform((value): Fault => {
    const base = {
      atMicroseconds: value.at,
      ...(value.reroute !== undefined && { rerouteMicroseconds: value.reroute }),
    };
    if (value.link === undefined)
      return { ...base, node: value.node ?? "", action: value.do as "blackhole" | "restore" };
    return { ...base, link: value.link, action: value.do, ...(value.to !== undefined && { shape: value.to }) };
  });
