// How large the package's files are: node scripts/sizes.mjs [--write FILE]
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What hosts compress with when they do it ahead; 11 would take a minute for the large file. */
const BROTLI_QUALITY = 9;

/** The scripts of one entry, followed through their imports; workers and wasm are counted apart. */
function closure(entry) {
  const seen = new Set();
  const follow = (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const source = readFileSync(join(root, 'dist', file), 'utf8');
    for (const [, path] of source.matchAll(/(?:from|import) '(\.\/[^']+|\.\.\/[^']+)'/g)) {
      const target = join(file, '..', path);
      if (!target.startsWith('..')) follow(target);
    }
  };
  follow(entry);
  return Buffer.concat([...seen].map((file) => readFileSync(join(root, 'dist', file))));
}

const rows = [
  ['`@medley/web`, scripts of the page', closure('index.js')],
  ['`@medley/web/element`, scripts of the page', closure('element.js')],
  ['worker, scripts', closure('worker.js')],
  ...['cpu', 'cpu-relaxed', 'webgpu'].flatMap((build) =>
    readdirSync(join(root, 'pkg', build))
      .filter((file) => /\.(js|wasm)$/.test(file))
      .map((file) => [`\`pkg/${build}/${file}\``, readFileSync(join(root, 'pkg', build, file))]),
  ),
].map(([what, bytes]) => {
  const brotli = brotliCompressSync(bytes, {
    params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
  });
  return [what, bytes.length, gzipSync(bytes, { level: 9 }).length, brotli.length];
});

const kilobytes = (bytes) => (bytes / 1000).toFixed(1);
const table = [
  '| what | raw, kB | gzip, kB | brotli, kB |',
  '|---|---:|---:|---:|',
  ...rows.map(([what, ...sizes]) => `| ${what} | ${sizes.map(kilobytes).join(' | ')} |`),
].join('\n');
console.log(table);

const at = process.argv.indexOf('--write');
if (at > 0) {
  writeFileSync(
    process.argv[at + 1],
    `# Sizes of @medley/web\n\nWritten by \`npm run sizes:write\`; every build prints the same table. 1 kB is 1000 bytes; gzip at level 9, brotli at\nquality ${BROTLI_QUALITY}; scripts as they are packed, not minified, which a bundler does. A browser fetches one of the two\nbuilds for the CPU, and the one for WebGPU only where an adapter answers.\n\n${table}\n`,
  );
}
