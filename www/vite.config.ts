import { createHash } from 'node:crypto';
import { cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const models = fileURLToPath(new URL('models', import.meta.url));
const dist = fileURLToPath(new URL('dist', import.meta.url));
const SERVICE_WORKER = 'service-worker';
/** In bytes. The code for WebGPU is far above it, all else far below. */
const LARGE = 10_000_000;

/** The models lie beside the page as they are: no bundler touches what a digest was taken of. */
function copyModels(): Plugin {
  return {
    name: 'copy-models',
    apply: 'build',
    closeBundle() {
      if (existsSync(models)) cpSync(models, `${dist}/models`, { recursive: true });
      else this.warn(`no models at ${models}: the page will say that it cannot fetch its model`);
    },
  };
}

/** Tells the service worker which files the build has made. */
function listFiles(): Plugin {
  return {
    name: 'list-files',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      const files = Object.keys(bundle)
        .filter((name) => name.startsWith('assets/'))
        .sort();
      const core = files.filter((name) => {
        const file = bundle[name];
        return file?.type !== 'asset' || file.source.length < LARGE;
      });
      const worker = bundle[`${SERVICE_WORKER}.js`];
      if (worker?.type !== 'chunk') throw new Error('the build was expected to make service-worker.js, and did not');
      const version = createHash('sha256').update(files.join()).digest('hex').slice(0, 12);
      worker.code = worker.code
        .replaceAll('__FILES__', JSON.stringify(files))
        .replaceAll('__CORE__', JSON.stringify(core))
        .replaceAll('__VERSION__', JSON.stringify(version));
    },
  };
}

export default defineConfig({
  // Relative addresses: the built page can lie in any folder of any host.
  base: './',
  build: {
    target: 'es2022',
    // The content policy allows no inlined scripts; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
    rollupOptions: {
      input: { index: 'index.html', bench: 'bench.html', [SERVICE_WORKER]: 'src/offline/service-worker.ts' },
      output: {
        // A service worker's scope is the folder that it lies in.
        entryFileNames: ({ name }) => (name === SERVICE_WORKER ? '[name].js' : 'assets/[name]-[hash].js'),
      },
    },
  },
  worker: { format: 'es' },
  plugins: [copyModels(), listFiles()],
});
