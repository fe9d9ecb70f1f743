/** The machine's side of `--interface`: hardware address and MTU, and the mistake that costs people the first hour. */
import { networkInterfaces } from "node:os";
import type { InterfaceOptions } from "../../host-options.ts";
import { hexadecimal, interfaceInfo, type InterfaceInfo } from "../../io/link-events.ts";
import { UsageError } from "./failure.ts";
import type { PathInterface } from "./values.ts";

/** By its 16 bits of length (RFC 791 §3.1); the loopback device takes a byte more. */
const largestPacket = 65_535;

/** @throws UsageError for an address that the kernel has as well; Error with the code ENODEV */
export function pathInterfaces(interfaces: readonly PathInterface[], offload: boolean): InterfaceOptions[] {
  const ofKernel = new Map(
    Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
      (addresses ?? []).map(({ address }) => [address, name]),
    ),
  );
  return interfaces.map(({ name, optional, ...rest }) => {
    for (const { address } of rest.addresses) {
      const holder = ofKernel.get(address);
      if (holder !== undefined)
        throw new UsageError(
          `--interface ${name}: the kernel has ${address} on ${holder}, and would answer our packets with resets; ` +
            `give an address of that network that nobody has`,
        );
    }
    const { mac, mtu } = optional ? interfaceIfThere(name) : interfaceInfo(undefined, name);
    return { name, mac: hexadecimal(mac), mtu: Math.min(mtu, largestPacket), gso: offload, ...rest };
  });
}

/** What has not come yet is down until it brings its own. */
function interfaceIfThere(name: string): Pick<InterfaceInfo, "mac" | "mtu"> {
  try {
    return interfaceInfo(undefined, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENODEV") throw error;
    return { mac: new Uint8Array(6), mtu: 1500 };
  }
}
