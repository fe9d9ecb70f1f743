/** Is the other gateway still there? Each kernel's own keep-alive reaches the gateway beside it and no further, so between the two it is our business (RFC 9293 §3.8.4). */
import type { KeepAlive } from "../../net/socket-options.ts";
import type { KeepAliveOptions } from "../../tcp/tcp-options.ts";

/** Of what is carried: as Linux has it (tcp(7)), and not before two hours (MUST-28). Who vanished without a word would be carried for ever. */
export const keepAlive: KeepAliveOptions = {
  idleMicroseconds: 7_200_000_000,
  intervalMicroseconds: 75_000_000,
  probes: 9,
};

/** While an answer is due: a converter that went after it had received the request would be waited for as long as the application does, whatever has come in its place. */
export const whileAnswerIsDue: KeepAlive = { enable: true, initialDelay: 5_000, interval: 1_000, count: 10 };

/** From then on. */
export const whileCarried: KeepAlive = {
  enable: true,
  initialDelay: keepAlive.idleMicroseconds / 1_000,
  interval: keepAlive.intervalMicroseconds / 1_000,
  count: keepAlive.probes,
};
