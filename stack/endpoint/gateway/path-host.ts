/** The gateway's host on the paths, which speaks Multipath TCP: as a lab describes it, or as the command line does. */
import { text } from "node:stream/consumers";
import type { HostOptions } from "../../host-options.ts";
import { UsageError } from "../command/failure.ts";
import { loadAlgorithms } from "../command/own-algorithms.ts";
import { pathInterfaces } from "../command/path-interfaces.ts";
import { unpredictable } from "../command/unpredictable.ts";
import type { AlgorithmTexts } from "../protocol.ts";
import { importAlgorithms } from "../stack/import-algorithms.ts";
import type { GatewayOptions } from "./gateway-options.ts";
import { keepAlive } from "./keep-alive.ts";

/** Of each connection and direction: what a slow reader may make us keep. */
const bufferBytes = 4 * 1024 * 1024;

/** @throws UsageError for an algorithm that cannot be loaded and for an address that the kernel has as well; Error with the code ENODEV */
export async function pathHost(options: GatewayOptions): Promise<HostOptions> {
  const { host, interfaces, offload, congestionControl, scheduler } = options;
  if (host !== undefined) {
    const own = options.algorithmsOnStdin ? await importAlgorithms(await algorithmTexts()) : {};
    return { ...host, ...own, random: unpredictable };
  }
  return {
    name: "gateway",
    random: unpredictable,
    mptcp: true,
    ...(await loadAlgorithms({ congestionControl, scheduler, pathManager: "full-mesh" })),
    sendBufferBytes: bufferBytes,
    receiveBufferBytes: bufferBytes,
    autotune: true,
    tcp: { keepAlive },
    interfaces: pathInterfaces(interfaces, offload),
  };
}

async function algorithmTexts(): Promise<AlgorithmTexts> {
  const given = await text(process.stdin);
  try {
    return JSON.parse(given) as AlgorithmTexts;
  } catch (error) {
    throw new UsageError(`--algorithms-on-stdin: ${(error as Error).message}`);
  }
}
