/** Our end in a soak: sends or takes the stream without end, and tells once a second what it has and holds. */

import type { Driver } from "../../io/driver.ts";
import { connect, createServer, type MptcpSocket } from "../../net/net.ts";
import { type Application, say } from "../application.ts";
import { BlockHashes, LongStream } from "./long-stream.ts";

const intervalMilliseconds = 1_000;
/** Read into again and again: `data` events give new memory away with each read, and how much of that waits to be collected would be all that the samples show. */
const received = Buffer.alloc(1 << 17);

export class SoakApplication implements Application {
  readonly #driver: Driver;
  readonly #address: string;
  readonly #port: number;
  readonly #hashes = new BlockHashes();

  constructor(driver: Driver, address: string, port: number) {
    this.#driver = driver;
    this.#address = address;
    this.#port = port;
  }

  serve(): void {
    const onread = {
      buffer: received,
      callback: (bytes: number) => this.#hashes.update(received.subarray(0, bytes)),
    };
    createServer(this.#driver, { onread }, (socket) => this.#report(socket)).listen({ port: this.#port });
  }

  run(): void {
    const stream = new LongStream();
    const socket: MptcpSocket = connect(this.#driver, { host: this.#address, port: this.#port }, () => {
      this.#report(socket);
      const write = (): void => {
        let chunk;
        do {
          chunk = stream.next();
          stream.advance(chunk.length);
          this.#hashes.update(chunk);
        } while (socket.write(chunk));
      };
      socket.on("drain", write);
      write();
    });
  }

  /** Blocks are told once each. A connection that ends, ends the process: whoever waits for it hears of that. */
  #report(socket: MptcpSocket): void {
    let told = 0;
    socket.on("error", (error) => {
      throw error;
    });
    setInterval(() => {
      const { bytes, finished } = this.#hashes;
      // What is held, not what has been: how much waits to be collected follows the speed.
      globalThis.gc?.();
      const { rss, heapUsed, external } = process.memoryUsage();
      const subflows = socket.info().subflows.map(({ bytesAcked, bytesReceived }) => bytesAcked + bytesReceived);
      say({ soak: { bytes, blocks: finished.slice(told), rss, heapUsed, external, subflows } });
      told = finished.length;
    }, intervalMilliseconds);
  }
}
