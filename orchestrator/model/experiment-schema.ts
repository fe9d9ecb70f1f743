/** The form of an experiment file. What needs more than one place of it, or the topology, to be judged is in `experiment-checks.ts`. */
import * as z from "zod";
import { modulePathPattern } from "./algorithm-module.ts";
import { application } from "./application-schema.ts";
import { defaultHostSettings, endpointAbilities } from "./endpoint-abilities.ts";
import { endpointOptionSchemas } from "./endpoint-options.ts";
import { endpointKinds, faultActions, substrateNames } from "./experiment.ts";
import type {
  AlgorithmKey,
  Baseline,
  BulkWorkload,
  EndpointKind,
  Expectation,
  Experiment,
  Fault,
  HostSettings,
  RequestResponseWorkload,
  StreamWorkload,
} from "./experiment.ts";
import { checkShape, shapeKeys, toShape } from "./link-shape-schema.ts";
import {
  duration,
  entityName,
  formatVersion,
  percentage,
  positiveDuration,
  rate,
  size,
  text,
  whole,
} from "./quantity-schemas.ts";
import { expected } from "./schema-diagnostics.ts";
import { traffic } from "./traffic-schema.ts";

const abilityNames = (ability: AlgorithmKey): [string, ...string[]] =>
  [...new Set(Object.values(endpointAbilities).flatMap((abilities) => abilities[ability] as readonly string[]))] as [
    string,
    ...string[],
  ];

/** The name of one that is built in, or a module. What is neither is told as a name that nobody has. */
const algorithm = (ability: AlgorithmKey, description: string) =>
  z
    .union([z.enum(abilityNames(ability)), z.string().regex(modulePathPattern, { abort: true })])
    .describe(`${description} Of our stack also a module of one's own, as in ./mine.ts, relative to this file.`);

const host = z
  .strictObject({
    endpoint: z
      .enum(endpointKinds as [EndpointKind])
      .default("pathlab")
      .describe("Whose TCP and MPTCP the host speaks."),
    congestionControl: z.exactOptional(
      algorithm("congestionControl", "pathlab: lia (default), reno or cubic; kernel: cubic (default) or reno."),
    ),
    scheduler: z.exactOptional(algorithm("scheduler", "Which subflow the next bytes take.")),
    pathManager: z.exactOptional(algorithm("pathManager", "Which subflows are opened.")),
    subflows: z.exactOptional(whole("The most subflows of a connection, the first among them.", 1, 32)),
    sendBuffer: z.exactOptional(size("Bytes that the endpoint keeps for sending.")),
    receiveBuffer: z.exactOptional(size("Bytes that the endpoint keeps for receiving.")),
    backup: z.array(z.string()).default([]).describe("Interfaces whose subflows are used only when no other is left."),
    ...endpointOptionSchemas,
  })
  .transform(
    ({
      endpoint,
      congestionControl,
      scheduler,
      pathManager,
      subflows,
      sendBuffer,
      receiveBuffer,
      backup,
      closeTimeout,
      ...options
    }): HostSettings => {
      const defaults = defaultHostSettings(endpoint);
      return {
        endpoint,
        congestionControl: congestionControl ?? defaults.congestionControl,
        scheduler: scheduler ?? defaults.scheduler,
        pathManager: pathManager ?? defaults.pathManager,
        subflows: subflows ?? defaults.subflows,
        sendBufferBytes: sendBuffer ?? defaults.sendBufferBytes,
        receiveBufferBytes: receiveBuffer ?? defaults.receiveBufferBytes,
        backup,
        options: { ...options, ...(closeTimeout !== undefined && { closeTimeoutMicroseconds: closeTimeout }) },
      };
    },
  );

const hostName = (description: string) => z.string().describe(description);
const start = duration("When it starts.").default(0);
const port = z.exactOptional(whole("Port of the server; chosen by the plan when left out.", 1, 65535));
const noDelay = z.exactOptional(
  z
    .boolean()
    .describe(
      "Small writes do not wait for the acknowledgement of earlier ones (TCP_NODELAY); of request-response by default.",
    ),
);

/** Exactly one of two keys must be there. */
function exactlyOne<Key extends string>(first: Key, second: Key) {
  return (value: { readonly [K in Key]?: unknown }, context: z.RefinementCtx): void => {
    if (value[first] !== undefined && value[second] !== undefined) {
      context.addIssue({
        code: "custom",
        path: [second],
        message: expected(`either ${first} or ${second}`, "both end the transfer; keep one of the two"),
      });
    }
    if (value[first] === undefined && value[second] === undefined) {
      context.addIssue({
        code: "custom",
        path: [first],
        message: expected(`either ${first} or ${second}`, "say when it ends"),
      });
    }
  };
}

const bulk = z
  .strictObject({
    kind: z.literal("bulk"),
    from: hostName("The host that sends."),
    to: hostName("The host that receives."),
    client: z.exactOptional(hostName("Who opens the connection; the receiver when left out, as in a download.")),
    size: z.exactOptional(size("Bytes to send.")),
    duration: z.exactOptional(positiveDuration("How long to send.")),
    start,
    port,
    noDelay,
  })
  .superRefine(exactlyOne("size", "duration"))
  .transform((value): BulkWorkload => ({
    kind: "bulk",
    from: value.from,
    to: value.to,
    client: value.client ?? value.to,
    ...(value.size !== undefined && { sizeBytes: value.size }),
    ...(value.duration !== undefined && { durationMicroseconds: value.duration }),
    startMicroseconds: value.start,
    ...(value.port !== undefined && { port: value.port }),
    ...(value.noDelay !== undefined && { noDelay: value.noDelay }),
  }));

const stream = z
  .strictObject({
    kind: z.literal("stream"),
    from: hostName("The host that sends."),
    to: hostName("The host that plays."),
    client: z.exactOptional(hostName("Who opens the connection; the receiver when left out.")),
    rate: rate("Payload bits a second."),
    segment: positiveDuration("Time of the stream in one segment.").default(100_000),
    playbackBuffer: positiveDuration("Playback starts, and resumes after a stall, with this much buffered.").default(
      2_000_000,
    ),
    duration: positiveDuration("Length of the stream."),
    start,
    port,
    noDelay,
  })
  .transform((value): StreamWorkload => ({
    kind: "stream",
    from: value.from,
    to: value.to,
    client: value.client ?? value.to,
    rateBitsPerSecond: value.rate,
    segmentMicroseconds: value.segment,
    playbackBufferMicroseconds: value.playbackBuffer,
    durationMicroseconds: value.duration,
    startMicroseconds: value.start,
    ...(value.port !== undefined && { port: value.port }),
    ...(value.noDelay !== undefined && { noDelay: value.noDelay }),
  }));

const requestResponse = z
  .strictObject({
    kind: z.literal("request-response"),
    client: hostName("The host that asks."),
    server: hostName("The host that answers."),
    request: size("Bytes of a request."),
    response: size("Bytes of a response."),
    interval: positiveDuration("Time from one request to the next."),
    count: z.exactOptional(whole("How many requests.", 1, 1_000_000)),
    duration: z.exactOptional(positiveDuration("How long to ask.")),
    start,
    port,
    noDelay,
  })
  .superRefine(exactlyOne("count", "duration"))
  .transform((value): RequestResponseWorkload => ({
    kind: "request-response",
    client: value.client,
    server: value.server,
    requestBytes: value.request,
    responseBytes: value.response,
    intervalMicroseconds: value.interval,
    ...(value.count !== undefined && { count: value.count }),
    ...(value.duration !== undefined && { durationMicroseconds: value.duration }),
    startMicroseconds: value.start,
    ...(value.port !== undefined && { port: value.port }),
    ...(value.noDelay !== undefined && { noDelay: value.noDelay }),
  }));

const fault = z
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

/** For what is a limit and not a plain value. */
const limitForm =
  (what: string, example: string) =>
  (issue: { readonly code?: string }): string | undefined =>
    issue.code === "invalid_type" ? expected(what, `as in ${example}`) : undefined;

const atMostTime = z
  .strictObject(
    { atMost: positiveDuration("The longest time that passes.") },
    { error: limitForm("a limit", "{ atMost: 1.5s }") },
  )
  .transform(({ atMost }) => ({ atMostMicroseconds: atMost }));

/** A range with at least one of its ends. */
function checkRange(
  value: { readonly atLeast?: number; readonly atMost?: number; readonly exactly?: number },
  context: z.RefinementCtx,
): void {
  const { atLeast, atMost, exactly } = value;
  if (Object.keys(value).length === 0) context.addIssue(expected("a limit", "as in { atLeast: … }"));
  if (atLeast !== undefined && atMost !== undefined && atLeast > atMost) {
    context.addIssue({
      code: "custom",
      path: ["atMost"],
      message: expected("atMost not below atLeast", "nothing can be in between; change one of the two"),
    });
  }
  if (exactly !== undefined && (atLeast !== undefined || atMost !== undefined)) {
    context.addIssue({
      code: "custom",
      path: ["exactly"],
      message: expected("exactly alone", "leave out atLeast and atMost, or exactly"),
    });
  }
}

const subflowCount = whole("A number of subflows.", 1, 64);

const goodputRange = (description: string) =>
  z
    .strictObject(
      {
        atLeast: z.exactOptional(rate("The least that passes.")),
        atMost: z.exactOptional(rate("The most that passes.")),
      },
      { error: limitForm("limits", "{ atLeast: 9mbit }") },
    )
    .superRefine(checkRange)
    .transform(({ atLeast, atMost }) => ({
      ...(atLeast !== undefined && { atLeastBitsPerSecond: atLeast }),
      ...(atMost !== undefined && { atMostBitsPerSecond: atMost }),
    }))
    .describe(description);

const timeRange = z
  .strictObject(
    {
      atLeast: z.exactOptional(positiveDuration("The shortest time that passes.")),
      atMost: z.exactOptional(positiveDuration("The longest time that passes.")),
    },
    { error: limitForm("limits", "{ atMost: 10ms }") },
  )
  .superRefine(checkRange)
  .transform(({ atLeast, atMost }) => ({
    ...(atLeast !== undefined && { atLeastMicroseconds: atLeast }),
    ...(atMost !== undefined && { atMostMicroseconds: atMost }),
  }));

const completionPercentiles = z.strictObject({
  p50: z.exactOptional(atMostTime),
  p99: z.exactOptional(atMostTime),
});

const expectation = z
  .strictObject({
    meanGoodput: z.exactOptional(goodputRange("Of traffic: mean of the goodput of its flows.")),
    leastGoodput: z.exactOptional(goodputRange("Of traffic: goodput of its slowest flow.")),
    fairness: z.exactOptional(
      z
        .strictObject(
          {
            atLeast: z.exactOptional(percentage("The least that passes.")),
            atMost: z.exactOptional(percentage("The most that passes.")),
          },
          { error: limitForm("limits", "{ atLeast: 95% }") },
        )
        .superRefine(checkRange)
        .describe("Of traffic: Jain's index of the goodput of its flows."),
    ),
    flowCompletion: z.exactOptional(
      completionPercentiles.describe("Of traffic: from a flow's start to its last byte."),
    ),
    goodput: z.exactOptional(goodputRange("Payload bits a second, from the first byte to the last.")),
    subflows: z.exactOptional(
      z
        .union(
          [
            subflowCount.transform((exactly): NonNullable<Expectation["subflows"]> => ({ exactly })),
            z
              .strictObject({
                atLeast: z.exactOptional(subflowCount),
                atMost: z.exactOptional(subflowCount),
                exactly: z.exactOptional(subflowCount),
              })
              .superRefine(checkRange),
          ],
          { error: expected("a number of subflows, or limits", "as in 2 or { atLeast: 2 }") },
        )
        .describe("Subflows that carried data: a number, or limits."),
    ),
    longestGap: z.exactOptional(timeRange.describe("Longest time without a byte at the application.")),
    stalls: z.exactOptional(
      z
        .strictObject(
          { atMost: whole("The most stalls that pass.", 0, 1_000_000) },
          { error: limitForm("a limit", "{ atMost: 0 }") },
        )
        .describe("Times that playback stopped for want of bytes."),
    ),
    intact: z.exactOptional(z.literal(true).describe("Every byte arrived once, in order and unchanged.")),
    fallback: z.exactOptional(z.boolean().describe("Whether the connection fell back to plain TCP.")),
    exitCode: z.exactOptional(whole("Of an application: what its client must end with.", 0, 255)),
    bytes: z.exactOptional(
      z
        .strictObject(
          {
            atLeast: z.exactOptional(size("The least that passes.")),
            atMost: z.exactOptional(size("The most that passes.")),
          },
          { error: limitForm("limits", "{ atLeast: 8MB }") },
        )
        .superRefine(checkRange)
        .describe("Of an application: payload that arrived, its protocol's own among it."),
    ),
    frames: z.exactOptional(
      z
        .strictObject(
          { atLeast: whole("The fewest that pass.", 1, 1_000_000_000) },
          { error: limitForm("a limit", "{ atLeast: 750 }") },
        )
        .describe("Of an application that plays: pictures that it showed."),
    ),
    completion: z.exactOptional(atMostTime.describe("Time from the workload's start to its last byte.")),
    latency: z.exactOptional(
      completionPercentiles
        .extend({ deviation: z.exactOptional(timeRange.describe("Standard deviation.")) })
        .describe("From a request's first byte to its response's last."),
    ),
  })
  .describe("What must hold of this workload.");

const expectations = z.record(z.string(), expectation).describe("What must hold, by name of the workload.");

const baseline = z
  .strictObject({
    description: z.exactOptional(text("What this baseline shows.")),
    set: z
      .record(z.string(), z.unknown())
      .describe("Keys of this file (hosts.phone.endpoint) and their values in this baseline."),
    expect: expectations.default({}).describe("Takes the place of the experiment's own expectations."),
  })
  .transform((value): Baseline => value);

const defaultCapture = { enabled: true, snapLength: 128 };
const defaultMetrics = { intervalMicroseconds: 100_000 };

export const experimentSchema = z
  .strictObject({
    version: formatVersion,
    name: entityName.describe("Name of the experiment; its results go to a folder of this name."),
    description: z.exactOptional(text("What this experiment shows.")),
    topology: text("Path of the topology file, relative to this file."),
    seed: whole("Seed of everything random.", 0, 0xffffffff).default(1),
    on: z
      .enum(substrateNames as ["namespaces"])
      .default("namespaces" as never)
      .describe("What it runs on, unless the command line says otherwise."),
    duration: z.exactOptional(positiveDuration("The run is ended then, whether its workloads are done or not.")),
    hosts: z
      .record(z.string(), host)
      .default({})
      .describe("Settings by host; a host that is not named speaks pathlab."),
    everyHost: z.exactOptional(host.describe("Settings of hosts that are not named under hosts.")),
    workload: z
      .record(entityName, z.discriminatedUnion("kind", [bulk, stream, requestResponse, application]))
      .default({})
      .describe("Transfers by name."),
    traffic: z.record(entityName, traffic).default({}).describe("Many flows at once, by name."),
    faults: z.array(fault).default([]).describe("What breaks, and when."),
    expect: expectations.default({}),
    capture: z
      .strictObject({
        enabled: z.boolean().default(defaultCapture.enabled).describe("Whether packets are captured."),
        snapLength: whole("Bytes kept of each packet.", 64, 65535).default(defaultCapture.snapLength),
      })
      .default(defaultCapture)
      .describe("Capture of all host interfaces."),
    metrics: z
      .strictObject({
        interval: duration("Time from one sample to the next.").default(defaultMetrics.intervalMicroseconds),
      })
      .superRefine(({ interval }, context) => {
        if (interval < 10_000 || interval > 60e6)
          context.addIssue({
            code: "custom",
            path: ["interval"],
            message: expected("a time from 10ms to 60s", "as in 100ms"),
          });
      })
      .transform(({ interval }) => ({ intervalMicroseconds: interval }))
      .default(defaultMetrics)
      .describe("Time series."),
    baselines: z
      .record(entityName, baseline)
      .default({})
      .describe("The same experiment run again with some keys set otherwise."),
  })
  .superRefine(({ workload, traffic: patterns }, context) => {
    if (Object.keys(workload).length + Object.keys(patterns).length > 0) return;
    context.addIssue({
      code: "custom",
      path: ["workload"],
      message: expected("at least one workload", "as in download: { kind: bulk, from: server, to: phone, size: 24MB }"),
    });
  })
  .transform(({ duration: durationMicroseconds, ...rest }): Experiment => ({
    ...rest,
    ...(durationMicroseconds !== undefined && { durationMicroseconds }),
  }))
  .meta({ title: "pathlab experiment", description: "What runs over a topology, what breaks, and what must hold." });
