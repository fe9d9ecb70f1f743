/** What an experiment file says of a host: whose TCP and MPTCP it speaks, and how that is set. */
import * as z from "zod";
import { modulePathPattern } from "../../stack/endpoint/module-path.ts";
import { defaultHostSettings, endpointAbilities } from "./endpoint-abilities.ts";
import { endpointOptionSchemas } from "./endpoint-options.ts";
import { endpointKinds } from "./experiment.ts";
import type { AlgorithmKey, EndpointKind, HostSettings } from "./experiment.ts";
import { size, whole } from "./quantity-schemas.ts";

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

export const host = z
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
      notSentLowat,
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
        options: {
          ...options,
          ...(closeTimeout !== undefined && { closeTimeoutMicroseconds: closeTimeout }),
          ...(notSentLowat !== undefined && { notSentLowatBytes: notSentLowat }),
        },
      };
    },
  );
