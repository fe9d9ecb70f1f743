/** What of an experiment's hosts can only be judged with their endpoint and the topology. */
import { isModulePath } from "../../stack/endpoint/module-path.ts";
import { algorithmKeys } from "./algorithm-module.ts";
import { formatChoice, formatFound, suggestName } from "./diagnostics.ts";
import { endpointAbilities, subflowLimits, takesModule } from "./endpoint-abilities.ts";
import { endpointOptionKeys, kernelAddressLimit, optionOf, optionRefusal } from "./endpoint-options.ts";
import type { Experiment, HostSettings } from "./experiment.ts";
import { interfacesOf } from "./interface-names.ts";
import type { Topology } from "./topology.ts";
import type { Complain, Complaint } from "./yaml-source.ts";

export function checkHosts({ hosts, everyHost }: Experiment, topology: Topology | undefined, complain: Complain): void {
  if (everyHost) checkAbilities(everyHost, ["everyHost"], complain);
  for (const [name, settings] of Object.entries(hosts)) {
    if (topology && !checkHostName(name, ["hosts", name], topology, complain, "key")) continue;
    checkAbilities(settings, ["hosts", name], complain);
    if (!topology) continue;
    const interfaces = interfacesOf(name, topology.links);
    for (const [index, backup] of settings.backup.entries()) {
      if (interfaces.includes(backup)) continue;
      complain({
        path: ["hosts", name, "backup", index],
        found: `unknown interface ${formatFound(backup)}`,
        expected: `an interface of ${name}`,
        hint: suggestName(backup, interfaces),
      });
    }
  }
}

/** What the endpoint does not offer. */
function checkAbilities(settings: HostSettings, path: readonly string[], complain: Complain): void {
  const abilities = endpointAbilities[settings.endpoint];
  for (const key of algorithmKeys) {
    const offered: readonly string[] = abilities[key];
    if (isModulePath(settings[key]) && takesModule(settings.endpoint, key)) continue;
    if (offered.includes(settings[key])) continue;
    complain({
      path: [...path, key],
      found: `${settings[key]} on a ${settings.endpoint} endpoint`,
      expected: formatChoice(offered),
      hint: "choose what the endpoint offers, or leave the key out",
    });
  }
  checkOptions(settings, path, complain);
  const { most } = subflowLimits[settings.endpoint];
  if (settings.subflows <= most) return;
  complain({
    path: [...path, "subflows"],
    found: `${settings.subflows} on a ${settings.endpoint} endpoint`,
    expected: `at most ${most}`,
    hint: most === 1 ? "plain TCP has one path; leave it out" : "lower it, or leave it out",
  });
}

function checkOptions({ endpoint, options }: HostSettings, path: readonly string[], complain: Complain): void {
  for (const key of endpointOptionKeys) {
    const refusal = optionOf(options, key) === undefined ? undefined : optionRefusal(endpoint, key);
    if (refusal === undefined) continue;
    complain({
      path: [...path, key],
      at: "key",
      found: `${key} on a ${endpoint} endpoint`,
      expected: `it on ${formatChoice(refusal.on)}`,
      hint: refusal.instead,
    });
  }
  const accepted = options.maximumAddressesAccepted ?? 0;
  if (endpoint !== "linux-mptcp" || accepted <= kernelAddressLimit) return;
  complain({
    path: [...path, "maximumAddressesAccepted"],
    found: `${accepted} on a linux-mptcp endpoint`,
    expected: `at most ${kernelAddressLimit}`,
    hint: "the kernel takes no more; lower it, or leave it out",
  });
}

/** @returns whether there is such a host */
export function checkHostName(
  name: string,
  path: Complaint["path"],
  topology: Topology,
  complain: Complain,
  at: "key" | "value" = "value",
): boolean {
  if (Object.hasOwn(topology.hosts, name)) return true;
  const hosts = Object.keys(topology.hosts);
  const router = Object.hasOwn(topology.routers, name);
  complain({
    path,
    at,
    found: router ? `router ${name}` : `unknown host ${formatFound(name)}`,
    expected: `a host of topology ${topology.name}`,
    hint: router ? `routers run no endpoint; there is ${hosts.join(", ")}` : suggestName(name, hosts),
  });
  return false;
}
