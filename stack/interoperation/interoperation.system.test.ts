import { writeFileSync } from "node:fs";
import { leaveRealtimeScheduling, requestRealtimeScheduling, type SchedulingReport } from "../io/clock.ts";
import { groups, markdown, Matrix } from "./matrix.ts";

/**
 * PATHLAB_INTEROPERATION_CASES: a regular expression; only cases whose name it matches are run.
 * PATHLAB_INTEROPERATION_TABLE: the file to which the table of results is written; of whole runs only.
 */
const chosen = new RegExp(process.env["PATHLAB_INTEROPERATION_CASES"] ?? "");
const table = process.env["PATHLAB_INTEROPERATION_TABLE"];
const roles = ["client", "server"] as const;

describe("interoperation with the Linux kernel", function () {
  this.timeout(300_000);
  const matrix = new Matrix();
  const selected = groups.map(({ title, cases }) => ({ title, cases: cases.filter(({ name }) => chosen.test(name)) }));

  let scheduling: SchedulingReport;

  before(() => {
    // The kernel's side has timers of its own: to a peer that got no processor for seconds it speaks plain TCP, joins anew, or not at all.
    scheduling = requestRealtimeScheduling();
    for (const { cases } of selected) for (const given of cases) for (const ours of roles) matrix.start(given, ours);
  });

  after(async () => {
    await matrix.finished();
    if (scheduling.policy === "fifo") leaveRealtimeScheduling();
    if (table !== undefined && chosen.source === "(?:)")
      writeFileSync(table, await markdown(matrix, new Date().toISOString().slice(0, 10)));
  });

  for (const { title, cases } of selected)
    describe(title, () => {
      for (const given of cases)
        for (const ours of roles) {
          // What does not exist in this role is told in the table; it is no test that was left out.
          if (given.without?.[ours] !== undefined) continue;
          it(`${given.name} (our stack is the ${ours})`, async () => {
            const outcome = await matrix.outcome(given, ours);
            if (outcome.result === "failed") throw outcome.error;
          });
        }
    });
});
