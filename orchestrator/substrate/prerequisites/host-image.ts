/** The image that containers are made of, named by its recipe: another recipe is another image. */
import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerClient, recipeLabel } from "../../journal/docker-client.ts";
import { runCommand } from "../../journal/run-command.ts";
import { dockerGet, unanswered } from "./docker-daemon.ts";
import type { Prerequisite } from "./prerequisite.ts";
import { repository } from "./programs.ts";

interface HostRecipe {
  readonly suite: string;
  readonly variant: string;
  readonly packages: readonly string[];
  readonly sourceDateEpoch: number;
}

const recipeText = readFileSync(join(repository, "images/host.json"), "utf8");
const recipe = JSON.parse(recipeText) as HostRecipe;
const recipeHash = createHash("sha256").update(JSON.stringify(recipe)).digest("hex").slice(0, 12);

export const hostImage = `pathlab/host:${recipeHash}`;

export const hostImagePresent: Prerequisite = {
  name: "image",
  purpose: "what containers are made of",
  needs: ["containers", "test"],
  remedy: "./pathlab doctor --fix",
  async check() {
    const answer = await dockerGet(`/images/${hostImage}/json`);
    if (answer.status === undefined) return unanswered(answer);
    return answer.status === 200
      ? { present: true, detail: hostImage }
      : { present: false, detail: `no image ${hostImage}` };
  },
  async fix(progress) {
    const directory = mkdtempSync(join(tmpdir(), "pathlab-image-"));
    try {
      const archive = join(directory, "host.tar");
      progress(`mmdebstrap ${recipe.suite}: ${recipe.packages.join(", ")}`);
      // The same packages give the same bytes: file times are the recipe's.
      await runCommand(
        ["mmdebstrap", `--variant=${recipe.variant}`, `--include=${recipe.packages.join(",")}`, recipe.suite, archive],
        {
          environment: { SOURCE_DATE_EPOCH: String(recipe.sourceDateEpoch) },
          onLine: (line) => {
            if (line.startsWith("I: ") && line.endsWith("...")) progress(line.slice(3, -3));
          },
        },
      );
      progress(`importing ${hostImage}`);
      await importArchive(archive);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
};

async function importArchive(archive: string): Promise<void> {
  const docker = await dockerClient();
  const [repo, tag] = hostImage.split(":");
  const answer = await docker.importImage(createReadStream(archive), {
    repo,
    tag,
    changes: [`LABEL ${recipeLabel}=${recipeHash}`],
  });
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(answer, (error) => (error === null ? resolve() : reject(error)));
  });
}
