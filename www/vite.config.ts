import { cpSync, existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const models = fileURLToPath(new URL('models', import.meta.url));
const dist = fileURLToPath(new URL('dist', import.meta.url));

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

export default defineConfig({
  // Relative addresses: the built page can lie in any folder of any host.
  base: './',
  build: {
    target: 'es2022',
    // The content policy allows no inlined scripts; small files stay files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  worker: { format: 'es' },
  plugins: [copyModels()],
});
