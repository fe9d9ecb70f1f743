/** Scenarios that failed once, by what was wrong then; what is not said is as in the calm scenario. */

import { calmEnd, calmPath, type EndScenario, type Fault, type PathScenario, type Scenario } from "./scenario.ts";

export interface KeptScenario {
  seed: number;
  paths: Partial<PathScenario>[];
  client?: Partial<EndScenario>;
  server?: Partial<EndScenario>;
  faults?: Fault[];
}

export function scenarioFrom({ seed, paths, client, server, faults = [] }: KeptScenario): Scenario {
  return {
    seed,
    family: "ipv4",
    serverInterfaces: 1,
    paths: paths.map((path) => ({ ...calmPath, ...path })),
    client: { ...calmEnd, ...client },
    server: { ...calmEnd, ...server },
    faults,
  };
}

export const keptScenarios = {
  "frames wait for a neighbour that does not answer: the clock goes on": {
    seed: 13,
    paths: [{ down: { rate: 10_000_000, delay: 150_000, queueBytes: 60_000 } }, {}],
    faults: [{ at: 171_024, path: 1, do: "die" }],
  },
  "payload that waits for its mapping was acknowledged beyond the receive buffer, and lost by the fallback: from the client":
    {
      seed: 78,
      paths: [{ tamperingDown: [{ kind: "strip-non-syn", value: 0 }] }],
      client: { sends: 37_184 },
      server: { receiveBufferBytes: 20_000 },
    },
  "payload that waits for its mapping was acknowledged beyond the receive buffer, and lost by the fallback: from the server":
    {
      seed: 962,
      paths: [{ tamperingUp: [{ kind: "strip-subtype", value: 2 }] }],
      client: { receiveBufferBytes: 4_096 },
      server: { sends: 9_085 },
    },
  "data sent again at data level on the only subflow were new data to a peer that had fallen back": {
    seed: 4337,
    paths: [
      {
        up: { rate: 500_000, delay: 5_000, queueBytes: 60_000 },
        tamperingDown: [{ kind: "strip-data", value: 0 }],
      },
    ],
    client: { sends: 23_911 },
    server: { sends: 15_984 },
  },
  "bytes that waited for the end of their checksummed mapping were lost by the fallback, and the stream shifted": {
    seed: 6916,
    paths: [
      {
        down: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000, loss: 0.05, reorder: 0.3, reorderDelay: 30_000 },
        tamperingUp: [{ kind: "rewrite-payload", value: 11_585 }],
        tamperingDown: [{ kind: "split-first", value: 0 }],
      },
    ],
    client: { sends: 3_060 },
    server: { dssChecksum: true, sends: 2 },
  },
  "what a subflow had acknowledged before it was reset went over its successor again and again, the good path idle": {
    seed: 7238,
    paths: [
      {
        up: {
          rate: 10_000_000,
          delay: 150_000,
          queueBytes: 60_000,
          loss: 0.05,
          duplicate: 0.5,
          reorder: 0.3,
          reorderDelay: 500,
        },
        down: { rate: 10_000_000, delay: 150_000, queueBytes: 60_000, loss: 0.05, duplicate: 0.5 },
        tamperingUp: [{ kind: "split-first", value: 0 }],
      },
      {
        up: {
          rate: 10_000_000,
          delay: 5_000,
          queueBytes: 60_000,
          loss: 0.01,
          duplicate: 0.05,
          reorder: 0.05,
          reorderDelay: 5_000,
        },
        down: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000, loss: 0.2, duplicate: 0.5, reorderDelay: 500 },
        tamperingUp: [{ kind: "strip-data", value: 0 }],
      },
    ],
    client: { sendBufferBytes: 4_096, sends: 7_198 },
    server: { sends: 1_440 },
  },
  "data that a subflow's peer had only half joined went over the first one again, to a server that had fallen back": {
    seed: 13_954,
    paths: [
      { tamperingUp: [{ kind: "strip-later", value: 5 }] },
      { down: { rate: 10_000_000, delay: 40_000, queueBytes: 60_000 } },
    ],
    client: { sends: 8_377 },
    server: { receiveBufferBytes: 4_096, sends: 4_813 },
  },
  "data sent again by a server that has a join, to a client that gave the join up and fell back": {
    seed: 3_357,
    paths: [
      {
        down: { rate: 500_000, delay: 5_000, queueBytes: 60_000 },
        tamperingDown: [{ kind: "strip-data", value: 0 }],
      },
      {},
    ],
    server: { sendBufferBytes: 4_096, sends: 5_674 },
  },
  "joins that nobody answers kept a connection alive whose subflows had all died": {
    seed: 21_100,
    paths: [
      {
        up: { rate: 10_000_000, delay: 100, queueBytes: 60_000 },
        down: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000, loss: 0.2 },
      },
      { up: { rate: 10_000_000, delay: 2_000, queueBytes: 60_000 } },
    ],
    server: { sends: 1_462 },
    faults: [
      { at: 14_844, path: 1, do: "die-up" },
      { at: 142_972, path: 0, do: "die-down" },
      { at: 299_424, path: 0, do: "reset-up" },
    ],
  },
  "the FIN in answer to that of a peer which had fallen back was to it the end of a stream that had not ended": {
    seed: 30_181,
    paths: [
      {
        up: { rate: 2_000_000, delay: 100, queueBytes: 60_000, reorder: 0.3, reorderDelay: 5_000 },
        tamperingDown: [{ kind: "strip-non-syn", value: 0 }],
      },
    ],
    client: { receiveBufferBytes: 4_096, sends: 1_317 },
    server: { sends: 4_162 },
  },
  "joins that were under way when a connection was given up outlived it, and answered the peer's keep-alive without end":
    {
      seed: 60,
      paths: [
        {
          up: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000, loss: 0.2 },
          down: { rate: 500_000, delay: 150_000, queueBytes: 60_000, loss: 0.2 },
        },
      ],
      client: { scheduler: "redundant", pathManager: "n-different-ports", sends: 48_655 },
      server: { dssChecksum: true, scheduler: "redundant", receiveBufferBytes: 4_096, sends: 14_880 },
      faults: [
        { at: 4_482_079, path: 0, do: "interface-down" },
        { at: 41_558_353, path: 0, do: "interface-up" },
      ],
    },
  "after a second timeout what the first had declared lost was not sent again: the subflow stood still until it was given up":
    {
      seed: 213_358,
      paths: [
        {
          down: { rate: 10_000_000, delay: 5_000, queueBytes: 6_000 },
          tamperingDown: [{ kind: "no-selective-acknowledgements", value: 0 }],
        },
        {
          up: { rate: 10_000_000, delay: 40_000, queueBytes: 60_000 },
          down: { rate: 2_000_000, delay: 2_000, queueBytes: 60_000 },
          tamperingDown: [{ kind: "strip-non-syn", value: 0 }],
        },
      ],
      server: { sends: 24_017 },
    },
  "the first data cut, the option on the second half, while a join is under way": {
    seed: 0,
    paths: [
      {
        up: { rate: 2_000_000, delay: 500, queueBytes: 60_000, reorder: 0.1, reorderDelay: 8_000 },
        tamperingUp: [{ kind: "split-second", value: 0 }],
      },
      { up: { rate: 2_000_000, delay: 500, queueBytes: 60_000 } },
    ],
    client: { sends: 28_522 },
  },
  "the first data cut in four, the option on the last": {
    seed: 0,
    paths: [
      {
        up: { rate: 2_000_000, delay: 500, queueBytes: 60_000, reorder: 0.1, reorderDelay: 8_000 },
        tamperingUp: [
          { kind: "split-second", value: 0 },
          { kind: "split-second", value: 1 },
        ],
      },
      { up: { rate: 2_000_000, delay: 500, queueBytes: 60_000 } },
    ],
    client: { sends: 15_669 },
    server: { sends: 8_398 },
  },
  "options got lost while the window was closed: the subflow's answers to its probes were taken for the connection's, without end":
    {
      seed: 92_126,
      paths: [{ tamperingDown: [{ kind: "strip-later", value: 55_972 }] }],
      client: { sends: 7_272 },
      server: { receiveBufferBytes: 4_096, sends: 1_439, readSize: 700, readInterval: 20_000 },
    },
  "the same on eight subflows, none of which can fall back": {
    seed: 17_344,
    paths: [
      {
        up: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000, duplicate: 0.5 },
        tamperingDown: [{ kind: "strip-later", value: 3_038 }],
      },
    ],
    client: { pathManager: "n-different-ports", sends: 5_930 },
    server: { receiveBufferBytes: 4_096, readInterval: 20_000 },
  },
  "without timestamps a dead path was taken for a peer that still speaks MPTCP, and what was sent again stood twice in its stream":
    {
      seed: 87_120,
      paths: [
        {
          tamperingUp: [{ kind: "strip-later", value: 4_889 }],
          tamperingDown: [{ kind: "no-timestamps", value: 0 }],
        },
      ],
      client: { sends: 10_718 },
      server: { synCookies: "always" },
      faults: [
        { at: 41_065, path: 0, do: "die" },
        { at: 35_360_387, path: 0, do: "return" },
      ],
    },
  "a FIN beyond a gap made every later window too old to be believed": {
    seed: 115_963,
    paths: [{ up: { rate: 10_000_000, delay: 2_000, queueBytes: 60_000 } }],
    client: { sends: 4_276 },
    server: { mptcp: false, synCookies: "always", receiveBufferBytes: 4_096, sends: 2 },
    faults: [{ at: 9_425, path: 0, do: "reset-down" }],
  },
  "bytes that waited for the end of their checksummed mapping were acknowledged beyond the receive buffer, and lost by the fallback":
    {
      seed: 322_081,
      paths: [
        {
          down: { rate: 10_000_000, delay: 100, queueBytes: 60_000 },
          tamperingDown: [
            { kind: "split-both", value: 0 },
            { kind: "rewrite-payload", value: 31_249 },
          ],
        },
      ],
      client: { dssChecksum: true, receiveBufferBytes: 4_096, readInterval: 20_000 },
      server: { sendBufferBytes: 4_096, sends: 8_384 },
    },
  "joins that were half open stood for others that carry on: the FIN in answer to a peer's that had fallen back ended the stream":
    {
      seed: 377_535,
      paths: [
        {
          up: {
            rate: 500_000,
            delay: 5_000,
            queueBytes: 60_000,
            loss: 0.05,
            duplicate: 0.05,
            reorder: 0.3,
            reorderDelay: 5_000,
          },
          down: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000, duplicate: 0.05 },
          tamperingDown: [{ kind: "strip-data", value: 0 }],
        },
      ],
      client: { pathManager: "n-different-ports", sends: 10_058 },
      server: { sendBufferBytes: 4_096, sends: 4_306 },
    },
  "a path that loses mappings was joined every 8 s, for a segment or two each time: neither end had its data nor an error":
    {
      seed: 36_042,
      paths: [
        {
          down: { rate: 2_000_000, delay: 5_000, queueBytes: 60_000 },
          tamperingDown: [
            { kind: "split-first", value: 0 },
            { kind: "coalesce-last", value: 0 },
          ],
        },
        { tamperingUp: [{ kind: "strip-non-syn", value: 0 }] },
      ],
      client: { receiveBufferBytes: 4_096, readInterval: 20_000 },
      server: { sends: 48_326 },
    },
  "the same with eight subflows over one path": {
    seed: 379_679,
    paths: [
      {
        up: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000, loss: 0.05, duplicate: 0.5 },
        down: { rate: 10_000_000, delay: 5_000, queueBytes: 60_000, loss: 0.05, duplicate: 0.5 },
        tamperingUp: [{ kind: "segment-size-clamp", value: 19_831 }],
        tamperingDown: [{ kind: "coalesce-last", value: 0 }],
      },
    ],
    client: { pathManager: "n-different-ports" },
    server: { sends: 38_758 },
  },
} satisfies Record<string, KeptScenario>;
