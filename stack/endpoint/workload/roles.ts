import type { WorkloadDescription } from "../protocol.ts";
import { bulkReceiver, bulkSender } from "./bulk.ts";
import { requester, responder } from "./request-response.ts";
import type { Role } from "./role.ts";
import { streamReceiver, streamSender } from "./stream.ts";

/** What `side` (who opened the connection, or who accepted it) does in a workload. */
export function roleOf(description: WorkloadDescription, side: "client" | "server"): Role {
  switch (description.kind) {
    case "bulk":
      return description.sender === side ? bulkSender(description) : bulkReceiver();
    case "stream":
      return description.sender === side ? streamSender(description) : streamReceiver(description);
    case "request-response":
      return side === "client" ? requester(description) : responder(description);
  }
}
