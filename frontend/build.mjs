// Bundles the tab into one ES module that TensorBoard imports (`render()` is its only export), or the tests.
//   node build.mjs            the tab, into tb_filterviz/static/index.js
//   node build.mjs --watch    the same, again on each change
//   node build.mjs --tests    the tests, into build/test/ for `node --test`
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { minify } from "terser";
import { OURS } from "./ours.mjs";

// 60 kB held lists, grids, details and steps. What earned the rest, in kB of the bundle: the overview and the course of
// filters 6, order and search 3, the comparison of steps, runs and marked filters 13, patterns under their kernels 1,
// the menu of files to save 1, bases of layers 1, patterns over their steps 1.
const MAX_BYTES = 90_000;
const here = dirname(fileURLToPath(import.meta.url));
const bundle = join(here, "..", "tb_filterviz", "static", "index.js");

/** Imports a style sheet as a minified string: the tab is one file and adds its own <style>. */
const cssText = {
  name: "css-text",
  setup(build) {
    build.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const { code } = await esbuild.transform(source, { loader: "css", minify: true });
      // Custom properties keep the blanks and the names that they were written with; scripts set those of sizes.
      const names = [];
      const short = (name) => {
        if (!names.includes(name)) names.push(name);
        return `--${names.indexOf(name).toString(36)}`;
      };
      const contents = code.replace(/(--[\w-]+): /g, "$1:").replace(/--(?!tile|cell)[\w-]+/g, short);
      return { contents, loader: "text" };
    });
  },
};

const shared = {
  absWorkingDir: here,
  bundle: true,
  format: "esm",
  target: "es2022",
  // Children as arguments take 1.2 kB less than the automatic transform's, which TypeScript checks the types of.
  tsconfigRaw: { compilerOptions: { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Fragment" } },
  inject: ["src/jsx.ts"],
  plugins: [cssText],
  logLevel: "warning",
};

const tab = {
  ...shared,
  entryPoints: ["src/index.tsx"],
  outfile: bundle,
  minifySyntax: true,
  legalComments: "none",
  charset: "utf8",
};

/**
 * Takes another 4 % off: esbuild looks at each expression once. No getter of ours does more than to answer, and what is
 * "unsafe" (`String(x)` as `x + ""`) differs for symbols alone.
 */
async function shrink() {
  const options = {
    module: true,
    ecma: 2022,
    compress: { passes: 3, pure_getters: true, unsafe: true, unsafe_arrows: true, hoist_funs: true },
    mangle: { properties: { builtins: true, regex: new RegExp(`^(${OURS.replaceAll(" ", "|")})$`) } },
  };
  const { code } = await minify(await readFile(bundle, "utf8"), options);
  await writeFile(bundle, code);
}

/** Checks what TensorBoard's content policy and the size budget ask of the bundle. */
async function verify() {
  const code = await readFile(bundle, "utf8");
  const bytes = Buffer.byteLength(code);
  if (bytes > MAX_BYTES) throw new Error(`The bundle may hold ${MAX_BYTES} bytes, but holds ${bytes}.`);
  if (/\beval\s*\(|new Function\b/.test(code)) throw new Error("The bundle must not evaluate code from strings.");
  console.log(`${bundle}: ${bytes} bytes`);
}

async function buildTests() {
  const outdir = join(here, "build", "test");
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  const names = (await readdir(join(here, "test"))).filter((name) => name.endsWith(".test.ts"));
  await esbuild.build({
    ...shared,
    entryPoints: names.map((name) => join("test", name)),
    outdir,
    outExtension: { ".js": ".mjs" },
    platform: "node",
  });
}

if (process.argv.includes("--tests")) {
  await buildTests();
} else if (process.argv.includes("--watch")) {
  await (await esbuild.context(tab)).watch();
} else {
  await esbuild.build(tab);
  await shrink();
  await verify();
}
