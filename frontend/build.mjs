// Writes the page's script and style into the Voilà template, and what they were built from.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const template =
  process.argv[2] ?? join(here, "../voila_snapshot/template/voila/templates/kezako");
const statics = join(template, "static");
const TARGET = ["chrome109", "firefox115", "safari15.6"]; // top-level await, modules, :is()

/** One checksum of everything that the build depends on; `tests/frontend` computes the same. */
function sources() {
  const files = readdirSync(join(here, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here, join(entry.parentPath ?? entry.path, entry.name)));
  const all = [...files, "build.mjs", "package.json", "package-lock.json"]
    .map((name) => name.replaceAll("\\", "/"))
    .sort();
  const sum = createHash("sha256");
  for (const name of all) sum.update(`${name}\0`).update(readFileSync(join(here, name))).update("\0");
  return sum.digest("hex");
}

rmSync(statics, { recursive: true, force: true });
mkdirSync(statics, { recursive: true });
const common = { bundle: true, minify: true, target: TARGET, legalComments: "none", logLevel: "warning" };
const { metafile } = await build({
  ...common,
  absWorkingDir: here,
  entryPoints: ["src/page.js"],
  outdir: statics,
  format: "esm",
  splitting: true,
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  charset: "utf8",
  metafile: true,
});
await build({ ...common, entryPoints: [join(here, "src/page.css")], outfile: join(template, "page.css") });

const outputs = Object.entries(metafile.outputs);
const [page] = outputs.find(([, output]) => output.entryPoint === "src/page.js");
const direct = metafile.outputs[page].imports.filter(({ kind }) => kind === "import-statement");
const script = [page, ...direct.map(({ path }) => path)].map((path) => basename(path));
writeFileSync(
  join(template, "built.json"),
  `${JSON.stringify({ sources: sources(), scripts: script }, null, 2)}\n`,
);
writeFileSync(join(template, "scripts.html.j2"), `{% set scripts = ${JSON.stringify(script)} %}\n`);
