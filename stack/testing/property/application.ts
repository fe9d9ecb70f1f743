/** An application as a scenario describes it: writes in chunks, reads in small pieces at its own pace, ends or gives up, and checks every byte. */

import type { Connection } from "../../mptcp/connection.ts";
import type { ConnectionErrorCode } from "../../mptcp/connection-observer.ts";
import type { Network } from "../network.ts";
import { streamByte } from "../pair.ts";
import type { EndScenario } from "./scenario.ts";

const longestStream = 65_536;
const stream = Uint8Array.from({ length: longestStream }, (_, i) => streamByte(i));

export class ScenarioApplication {
  readonly connection: Connection;
  readonly plan: EndScenario;
  received = 0;
  /** Offset of the first wrong byte; -1: none. */
  corruptAt = -1;
  aborted = false;
  closed = false;
  closedAt = 0;
  error: ConnectionErrorCode | undefined;
  readonly #network: Network;
  #remoteEnded = false;
  #sent = 0;
  #ended = false;
  #readAgain = false;

  constructor(network: Network, connection: Connection, plan: EndScenario) {
    this.#network = network;
    this.connection = connection;
    this.plan = plan;
    connection.observer = {
      onEstablished: () => this.#send(),
      onReadable: () => this.#read(),
      onWritable: () => this.#send(),
      onRemoteEnd: () => {
        this.#remoteEnded = true;
        this.#send();
      },
      onClosed: (error) => {
        this.closed = true;
        this.closedAt = network.now;
        this.error = error;
      },
    };
    if (connection.established) this.#send();
  }

  /** Nothing is left to read either. */
  get done(): boolean {
    return this.closed && (this.aborted || this.connection.readableBytes === 0);
  }

  abort(): void {
    if (this.closed) return;
    this.aborted = true;
    this.connection.abort(this.#network.now);
  }

  #send(): void {
    const { connection, plan } = this;
    if (connection.closed || this.#ended) return;
    const { now } = this.#network;
    while (this.#sent < plan.sends) {
      const chunk = stream.subarray(this.#sent, Math.min(plan.sends, this.#sent + plan.writeSize));
      const taken = connection.write(chunk, now);
      this.#sent += taken;
      if (taken < chunk.length) return;
    }
    if (plan.ends === "after-remote-end" && !this.#remoteEnded) return;
    this.#ended = true;
    connection.closeWrite(now);
  }

  #read(): void {
    if (this.#readAgain || this.aborted) return;
    const { readSize, readInterval } = this.plan;
    for (;;) {
      const chunk = this.connection.read(this.#network.now, readSize);
      if (chunk === undefined) return;
      this.#check(chunk);
      if (readInterval === 0) continue;
      this.#readAgain = true;
      this.#network.at(this.#network.now + readInterval, () => {
        this.#readAgain = false;
        this.#read();
      });
      return;
    }
  }

  #check(chunk: Uint8Array): void {
    for (let i = 0; i < chunk.length && this.corruptAt < 0; i++)
      if (chunk[i] !== stream[this.received + i]) this.corruptAt = this.received + i;
    this.received += chunk.length;
  }
}
