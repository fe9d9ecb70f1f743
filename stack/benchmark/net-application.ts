/** The tasks of our end on sockets of stack/net. */

import type { Driver } from "../io/driver.ts";
import { connect, createServer, type MptcpSocket } from "../net/net.ts";
import { type Application, say, type Tally } from "./application.ts";
import type { EndTask, Service } from "./end-protocol.ts";

const chunk = Buffer.alloc(1 << 20);
const byte = Buffer.from("x");
const received = Buffer.alloc(1 << 17);

export class NetApplication implements Application {
  readonly #driver: Driver;
  readonly #address: string;
  readonly #port: number;
  readonly #tally: Tally;

  constructor(driver: Driver, address: string, port: number, tally: Tally) {
    this.#driver = driver;
    this.#address = address;
    this.#port = port;
    this.#tally = tally;
  }

  serve(service: Service): void {
    // As the kernel's end: what is thrown away is read into one memory again and again.
    const onread = { buffer: received, callback: (bytes: number) => void (this.#tally.bytes += bytes) };
    createServer(this.#driver, { noDelay: true, ...(service === "discard" && { onread }) }, (socket) => {
      socket.on("error", () => undefined);
      if (service === "echo") socket.on("data", (data: Buffer) => socket.write(data));
    }).listen({ port: this.#port, backlog: 4_096 });
  }

  run(task: Exclude<EndTask, { mode: "serve" }>): void {
    switch (task.mode) {
      case "stream":
        return this.#stream();
      case "echo":
        return this.#echo(task.count);
      case "open":
        return this.#open(task.count);
      case "churn":
        return this.#churn(task.count, task.inFlight);
      case "hold":
        return this.#hold(task.count);
    }
  }

  #connect(onConnect: (socket: MptcpSocket) => void): void {
    const socket: MptcpSocket = connect(this.#driver, { host: this.#address, port: this.#port, noDelay: true }, () =>
      onConnect(socket),
    );
  }

  #stream(): void {
    this.#connect((socket) => {
      say({ connected: true });
      const write = (): void => {
        do this.#tally.bytes += chunk.length;
        while (socket.write(chunk));
      };
      socket.on("drain", write);
      write();
    });
  }

  #echo(count: number): void {
    const samples: number[] = [];
    this.#connect((socket) => {
      let start = 0;
      const ask = (): void => {
        start = this.#driver.now();
        socket.write(byte);
      };
      socket.on("data", () => {
        samples.push(this.#driver.now() - start);
        if (samples.length < count) ask();
        else say({ samples });
      });
      ask();
    });
  }

  #open(count: number): void {
    const samples: number[] = [];
    const next = (): void => {
      const start = this.#driver.now();
      this.#connect((socket) => {
        samples.push(this.#driver.now() - start);
        socket.write(byte);
        socket.once("data", () => {
          socket.end();
          if (samples.length < count) next();
          else say({ samples });
        });
      });
    };
    next();
  }

  #churn(count: number, inFlight: number): void {
    const start = this.#driver.now();
    let begun = 0;
    let done = 0;
    const next = (): void => {
      begun++;
      this.#connect((socket) => {
        socket.write(byte);
        socket.once("data", () => {
          socket.end();
          if (++done === count) say({ seconds: (this.#driver.now() - start) / 1e6 });
          else if (begun < count) next();
        });
      });
    };
    for (let i = 0; i < Math.min(inFlight, count); i++) next();
  }

  #hold(count: number): void {
    let held = 0;
    const next = (): void =>
      this.#connect((socket) => {
        socket.write(byte);
        socket.once("data", () => {
          if (++held === count) say({ held });
          else next();
        });
      });
    next();
  }
}
