/** What each kind of endpoint offers, what it does without being told, and the most that can be asked of it. */
import { isModulePath } from "../../stack/endpoint/module-path.ts";
import { endpointOptionKeys, kernelAddressLimit, optionRefusal } from "./endpoint-options.ts";
import type { AlgorithmKey, EndpointKind, HostSettings } from "./experiment.ts";

/** What each kind of endpoint offers; the first of each list is the default. */
export const endpointAbilities = {
  pathlab: {
    congestionControl: ["lia", "olia", "balia", "wvegas", "ewtcp", "fully-coupled", "reno", "cubic"],
    scheduler: ["min-rtt", "round-robin", "redundant", "blest", "ecf"],
    pathManager: ["full-mesh", "n-different-ports", "signal", "subflow", "backup", "single-path"],
  },
  "pathlab-tcp": { congestionControl: ["cubic", "reno"], scheduler: ["none"], pathManager: ["none"] },
  "linux-mptcp": { congestionControl: ["cubic", "reno"], scheduler: ["default"], pathManager: ["kernel"] },
  "linux-tcp": { congestionControl: ["cubic", "reno"], scheduler: ["none"], pathManager: ["none"] },
} as const satisfies Record<
  EndpointKind,
  { congestionControl: readonly string[]; scheduler: readonly string[]; pathManager: readonly string[] }
>;

/** Holds two seconds of a 3G link's buffer beside a WiFi link's, with room for reassembly. */
const defaultBufferBytes = 16 * 1024 * 1024;

/** Subflows of a connection, the first among them: without being told, and the most that can be had. Kernels take 8 beside the first (MPTCP_PM_ADDR_MAX). */
export const subflowLimits: Readonly<Record<EndpointKind, { readonly byDefault: number; readonly most: number }>> = {
  pathlab: { byDefault: 8, most: 32 },
  "pathlab-tcp": { byDefault: 1, most: 1 },
  "linux-mptcp": { byDefault: 9, most: 9 },
  "linux-tcp": { byDefault: 1, most: 1 },
};

export function defaultHostSettings(endpoint: EndpointKind): HostSettings {
  const abilities = endpointAbilities[endpoint];
  return {
    endpoint,
    congestionControl: abilities.congestionControl[0],
    scheduler: abilities.scheduler[0],
    pathManager: abilities.pathManager[0],
    subflows: subflowLimits[endpoint].byDefault,
    sendBufferBytes: defaultBufferBytes,
    receiveBufferBytes: defaultBufferBytes,
    backup: [],
    options: {},
  };
}

/** Whether an endpoint can take a module of one's own for it: plain TCP asks nobody for subflows. */
export function takesModule(kind: EndpointKind, key: AlgorithmKey): boolean {
  return kind === "pathlab" || (kind === "pathlab-tcp" && key === "congestionControl");
}

/** Whether an endpoint can have this value of a host's key; of what is no key of an endpoint (`backup`), and of values that no endpoint has, it says nothing against. */
export function isOffered(kind: EndpointKind, key: string, value: unknown): boolean {
  if (key === "congestionControl" || key === "scheduler" || key === "pathManager") {
    if (isModulePath(value)) return takesModule(kind, key);
    const offers = (abilities: (typeof endpointAbilities)[EndpointKind]): boolean =>
      (abilities[key] as readonly unknown[]).includes(value);
    return offers(endpointAbilities[kind]) || !Object.values(endpointAbilities).some(offers);
  }
  if (key === "subflows") return !(Number(value) > subflowLimits[kind].most);
  const option = endpointOptionKeys.find((name) => name === key);
  if (option === undefined) return true;
  if (optionRefusal(kind, option) !== undefined) return false;
  return !(option === "maximumAddressesAccepted" && kind === "linux-mptcp" && Number(value) > kernelAddressLimit);
}
