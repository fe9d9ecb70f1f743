/** How a program of pathlab becomes one file without dependencies, which starts in a fraction of the time that its modules take. */
import type { BuildOptions } from "esbuild";

/**
 * CommonJS, for an ES module loads every module of Node's that any part of it names before it begins: node:http alone, which only the status
 * server needs, brings undici with it. So what is imported when it is needed, with all that it imports, costs nothing until then.
 */
export const bundleOptions: BuildOptions = {
  bundle: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  banner: { js: 'const __moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
  define: {
    "import.meta.url": "__moduleUrl",
    "import.meta.dirname": "__dirname",
    // A module that asks whether it is the program that was started: in a bundle it is not.
    "import.meta.filename": "undefined",
  },
};

/** What the options make is named so, that a package.json above it does not call it an ES module. */
export const bundleExtension = ".cjs";
