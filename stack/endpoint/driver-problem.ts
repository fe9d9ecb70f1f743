import type { DriverProblem } from "../io/driver.ts";

/** What the driver met, as a person reads it. */
export function problemSentence(problem: DriverProblem): string {
  switch (problem.type) {
    case "interface-missing":
      return `there is no interface ${problem.interfaceName} yet: its path waits for it`;
    case "interface-deleted":
      return `the interface ${problem.interfaceName} was deleted`;
    case "address-refused":
      return `${problem.interfaceName} cannot have ${problem.address}: ${problem.reason}`;
    case "socket":
      return `${problem.interfaceName}: ${problem.code}`;
  }
}
