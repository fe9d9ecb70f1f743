/** The server that the visitors of a soak ask for things: what it does with a connection is in the first line that comes over it. */
import { createServer, type Socket } from "node:net";

const block = Buffer.alloc(65_536, "what the server has to say, again and again. ");

function send(socket: Socket, bytes: number, atEnd: () => void): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      const chunk = block.subarray(0, Math.min(left, block.length));
      left -= chunk.length;
      if (!socket.write(chunk)) return void socket.once("drain", more);
    }
    atEnd();
  };
  more();
}

function obey(socket: Socket, order: string): void {
  const [what, bytes] = order.split(" ");
  switch (what) {
    // So many bytes, and the end: the server closes first.
    case "send":
      return send(socket, Number(bytes), () => socket.end());
    // So many bytes, and then who asked closes first.
    case "keep":
      socket.on("end", () => socket.end());
      return send(socket, Number(bytes), () => undefined);
    case "reset":
      return send(socket, Number(bytes), () => void socket.resetAndDestroy());
    // Nothing more is read, ever.
    case "ignore":
      return void socket.pause();
    case "count": {
      let counted = 0;
      socket.on("data", (data: Buffer) => (counted += data.length)).on("end", () => socket.end(String(counted)));
    }
  }
}

const server = createServer({ allowHalfOpen: true }, (socket) => {
  socket.on("error", () => undefined);
  let said = Buffer.alloc(0);
  const onData = (data: Buffer): void => {
    said = Buffer.concat([said, data]);
    const end = said.indexOf("\n");
    if (end < 0) return;
    socket.off("data", onData);
    const rest = said.subarray(end + 1);
    if (rest.length > 0) socket.unshift(rest);
    socket.resume();
    obey(socket, said.subarray(0, end).toString());
  };
  socket.on("data", onData);
  // Who has gone before it said what it wanted.
  socket.on("end", () => said.includes("\n") || socket.end());
});
server.listen(Number(process.argv[3]), process.argv[2], 4096, () => process.stdout.write("listening\n"));
process.stdin.resume().on("end", () => process.exit());
