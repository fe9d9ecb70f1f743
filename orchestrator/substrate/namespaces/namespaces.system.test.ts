import { describeSubstrate } from "../compliance.ts";
import { namespaces } from "./namespaces.ts";

describeSubstrate(namespaces);
