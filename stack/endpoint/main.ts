/** The endpoint program. What a call does not need, it does not load: that is most of the time that it takes to begin. */

const [verb, ...rest] = process.argv.slice(2);

async function main(): Promise<void> {
  if (verb === "gateway") {
    // docs/gateway.md
    const { runGateway } = await import("./gateway/run-gateway.ts");
    await runGateway(rest);
  } else if ((verb === "lab" && rest.length === 0) || (verb === undefined && !process.stdin.isTTY)) {
    const { serveOrchestrator } = await import("./serve-orchestrator.ts");
    serveOrchestrator();
  } else {
    // docs/endpoint-program.md
    const { runCommandLine } = await import("./command/command-line.ts");
    await runCommandLine(verb === undefined ? ["--help"] : [verb, ...rest]);
  }
}

void main();
