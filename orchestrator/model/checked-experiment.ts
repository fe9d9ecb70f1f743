/** An experiment that passed all checks, with what it was made from. */
import type { Diagnostic } from "./diagnostics.ts";
import type { EndpointKind, Experiment, SubstrateName } from "./experiment.ts";
import type { Topology } from "./topology.ts";
import type { Complaint } from "./yaml-source.ts";

export interface LoadedTopology {
  readonly file: string;
  /** With the files that it names under the names that they have in `files`. */
  readonly text: string;
  /** Traces that the topology names, to be written beside it. */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  readonly topology: Topology;
}

export interface CheckedExperiment {
  readonly experiment: Experiment;
  readonly topology: LoadedTopology;
  /** Modules that the experiment names, to be written beside what `textWith` gives. */
  readonly modules: readonly { readonly name: string; readonly text: string }[];
  /** Gives a complaint about the experiment, found by whoever works on it later, its place in the file. */
  readonly diagnose: (complaint: Complaint) => Diagnostic;
  /** The text with some keys set, and with the names that modules have in `modules`: for a copy that shall run elsewhere, with the topology beside it or another seed. */
  readonly textWith: (settings: {
    readonly topology?: string;
    readonly seed?: number;
    readonly repeat?: number;
    readonly on?: SubstrateName;
    /** By host. */
    readonly endpoints?: Readonly<Record<string, EndpointKind>>;
  }) => string;
}
