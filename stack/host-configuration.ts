/** Options of a host to checked values; those of its interfaces are in interface-configuration.ts. */

import { type TraceCategory, traceCategories } from "./events.ts";
import { ConfigurationError, type HostOptions } from "./host-options.ts";
import { defaultMultipathPolicy, type MultipathPolicy } from "./mptcp/multipath-policy.ts";
import type { TcpOptions } from "./tcp/tcp-options.ts";

const minimumBuffer = 4_096;
const maximumBuffer = 2 ** 30;

/** @throws ConfigurationError */
export function checkedBuffer(name: string, bytes: number | undefined, fallback: number): number {
  if (bytes === undefined) return fallback;
  if (!Number.isInteger(bytes) || bytes < minimumBuffer || bytes > maximumBuffer) {
    throw new ConfigurationError(name, `${bytes} is not an integer from ${minimumBuffer} to ${maximumBuffer}`);
  }
  return bytes;
}

/** @throws ConfigurationError */
export function checkedMultipathPolicy(options: HostOptions): MultipathPolicy {
  const {
    allowJoinInitialAddress = defaultMultipathPolicy.allowJoinInitialAddress,
    maximumSubflows = defaultMultipathPolicy.maximumSubflows,
    maximumAddressesAccepted = defaultMultipathPolicy.maximumAddressesAccepted,
    closeTimeoutMicroseconds = defaultMultipathPolicy.closeTimeoutMicroseconds,
    fastClose = defaultMultipathPolicy.fastClose,
  } = options;
  requireInteger("maximumSubflows", maximumSubflows, 0, 255);
  requireInteger("maximumAddressesAccepted", maximumAddressesAccepted, 0, 255);
  requireInteger("closeTimeoutMicroseconds", closeTimeoutMicroseconds, 0, Number.MAX_SAFE_INTEGER);
  if (fastClose !== "reset" && fastClose !== "acknowledgement")
    throw new ConfigurationError("fastClose", `"${String(fastClose)}" is neither "reset" nor "acknowledgement"`);
  return { allowJoinInitialAddress, maximumSubflows, maximumAddressesAccepted, closeTimeoutMicroseconds, fastClose };
}

function requireInteger(path: string, value: number, minimum: number, maximum: number): void {
  if (!Number.isInteger(value) || value < minimum || value > maximum)
    throw new ConfigurationError(path, `${value} is not an integer from ${minimum} to ${maximum}`);
}

/** @throws ConfigurationError for what is no positive number */
export function checkedTcpOptions(options: TcpOptions): TcpOptions {
  const { keepAlive, userTimeoutMicroseconds, userTimeoutOption, timeWaitLimit } = options;
  requirePositive("tcp.userTimeoutMicroseconds", userTimeoutMicroseconds);
  const { lowerLimitMicroseconds, upperLimitMicroseconds } = userTimeoutOption ?? {};
  requirePositive("tcp.userTimeoutOption.lowerLimitMicroseconds", lowerLimitMicroseconds);
  requirePositive("tcp.userTimeoutOption.upperLimitMicroseconds", upperLimitMicroseconds);
  if ((lowerLimitMicroseconds ?? 0) > (upperLimitMicroseconds ?? Number.POSITIVE_INFINITY))
    throw new ConfigurationError("tcp.userTimeoutOption", "the lower limit is above the upper one");
  requirePositive("tcp.timeWaitLimit", timeWaitLimit);
  checkedName("tcp.synCookies", options.synCookies ?? "when-full", { never: true, "when-full": true, always: true });
  requirePositive("tcp.keepAlive.idleMicroseconds", keepAlive?.idleMicroseconds);
  requirePositive("tcp.keepAlive.intervalMicroseconds", keepAlive?.intervalMicroseconds);
  requirePositive("tcp.keepAlive.probes", keepAlive?.probes);
  return options;
}

function requirePositive(path: string, value: number | undefined): void {
  if (value !== undefined && !(Number.isFinite(value) && value > 0))
    throw new ConfigurationError(path, `${value} is not a positive number`);
}

/** @throws ConfigurationError */
export function checkedName<T>(path: string, name: string, known: Readonly<Record<string, T>>): T {
  const value = Object.hasOwn(known, name) ? known[name] : undefined;
  if (value === undefined)
    throw new ConfigurationError(path, `"${name}" is not one of ${Object.keys(known).join(", ")}`);
  return value;
}

/** @throws ConfigurationError */
export function checkedTrace(categories: readonly TraceCategory[]): readonly TraceCategory[] {
  const unknown = categories.find((category) => !traceCategories.includes(category));
  if (unknown !== undefined)
    throw new ConfigurationError("trace", `"${unknown}" is not one of ${traceCategories.join(", ")}`);
  return categories;
}
