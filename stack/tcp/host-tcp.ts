/** What all TCP connections of one host share. */

import { HostChallengeLimit } from "./challenge-ack.ts";
import { FastOpenCache, FastOpenServer } from "./fast-open.ts";
import { InitialNumbers } from "./initial-numbers.ts";
import { SynCookies } from "./syn-cookies.ts";
import type { TcpOptions } from "./tcp-options.ts";
import { TimeWaitLimit } from "./time-wait.ts";

const defaultTimeWaitLimit = 16_384;

export class HostTcp {
  readonly numbers: InitialNumbers;
  readonly challengeAcks: HostChallengeLimit;
  readonly timeWait: TimeWaitLimit;
  readonly synCookies: SynCookies;
  readonly fastOpenServer: FastOpenServer;
  readonly fastOpenCache: FastOpenCache = new FastOpenCache();

  /** `random`: uniform unsigned 32-bit numbers. */
  constructor(options: TcpOptions, random: () => number) {
    this.numbers = new InitialNumbers(random);
    this.challengeAcks = new HostChallengeLimit(random);
    this.synCookies = new SynCookies(random);
    this.fastOpenServer = new FastOpenServer(random);
    this.timeWait = new TimeWaitLimit(options.timeWaitLimit ?? defaultTimeWaitLimit);
  }
}
