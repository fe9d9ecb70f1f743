import type { LabCommand, LabProcess } from "../../workload/lab-process.ts";
import type { LinkControl } from "../substrate.ts";

/** What a realisation may use of the lab. */
export interface MiddleAccess {
  runInMiddle(script: string): Promise<string>;
  spawnInMiddle(command: LabCommand): Promise<LabProcess>;
}

/** All links of one kind. */
export interface LinkRealisation extends LinkControl {
  start(access: MiddleAccess): Promise<void>;
  stop(): void;
}
