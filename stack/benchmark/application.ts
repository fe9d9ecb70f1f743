/** What our end does with its stack: tasks, on sockets or straight. */

import type { EndMessage, EndTask, Service } from "./end-protocol.ts";

export interface Application {
  serve(service: Service): void;
  run(task: Exclude<EndTask, { mode: "serve" }>): void;
}

/** Bytes that the application has read or written so far. */
export type Tally = { bytes: number };

export const say = (message: EndMessage): void => void process.stdout.write(`${JSON.stringify(message)}\n`);
