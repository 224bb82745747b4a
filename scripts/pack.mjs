// What is published? The bundles alone, with a package.json that depends on nothing: what a bundle
// needs is inside it.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_BUNDLES } from "./programs.mjs";
import { root, run } from "./steps.mjs";

const folder = join(root, ".cache", "package");
const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { name, version, description, keywords, license, author, type, engines, os } = own;
const published = { name, version, description, keywords, license, author, type, engines, os };

if (!run(process.execPath, [join(root, "scripts", "build.mjs")])) process.exit(1);
mkdirSync(join(folder, "dist"), { recursive: true });
for (const bundle of NODE_BUNDLES) {
  copyFileSync(join(root, "dist", bundle), join(folder, "dist", bundle));
}
for (const file of ["README.md", "CHANGELOG.md", "LICENSE"]) {
  copyFileSync(join(root, file), join(folder, file));
}
const manifest = { ...published, bin: own.bin, files: ["dist"] };
writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
process.exit(
  run("npm", ["pack", "--pack-destination", join(root, ".cache")], { cwd: folder }) ? 0 : 1,
);
