import { describeSubstrate } from "../compliance.ts";
import { containers } from "./containers.ts";

describeSubstrate(containers);
