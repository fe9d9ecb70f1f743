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
} satisfies Record<string, KeptScenario>;
