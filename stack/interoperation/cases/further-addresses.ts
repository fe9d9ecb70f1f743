/** Further addresses of one side: how many a lab gives it, and the kernel's endpoints for them. */

import { interfaceName, ipAddress, type Role } from "../fabric.ts";
import type { CaseLab } from "../case.ts";
import type { Lab } from "../lab.ts";

/** The kernel's endpoint for its interface with this index, as it would be by itself. */
export function endpoint(lab: Lab, index: number): string {
  const port = lab.port(lab.kernelRole, index);
  return `${ipAddress(port)} dev ${interfaceName(port)} ${lab.kernelRole === "client" ? "subflow" : "signal"}`;
}

/** A lab in which the kernel has so many addresses, and our stack one; `ours` is the role of our stack. */
export function ofKernel(count: number, ours: Role): CaseLab {
  return ours === "client" ? { serverAddresses: count } : { clientAddresses: count };
}

/** The same with the addresses on our side. */
export function ofOurs(count: number, ours: Role): CaseLab {
  return ours === "client" ? { clientAddresses: count } : { serverAddresses: count };
}
