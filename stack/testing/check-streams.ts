import { expect } from "chai";
import type { Conversation } from "./pair.ts";

/** Both sides have received all that the other has sent, unchanged, and have closed without error. */
export function checkStreams(conversation: Conversation, clientSends: number, serverSends: number): void {
  const server = conversation.server()!;
  const { client } = conversation;
  expect(server.received, "received by the server").to.equal(clientSends);
  expect(client.received, "received by the client").to.equal(serverSends);
  expect(client.corrupt || server.corrupt, "corrupt").to.equal(false);
  expect([client.closed, client.error, server.closed, server.error]).to.deep.equal([true, undefined, true, undefined]);
}
