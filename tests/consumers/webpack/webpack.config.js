export default {
  mode: 'production',
  entry: './main.js',
  experiments: { outputModule: true },
  output: { filename: 'main.js', module: true, chunkFormat: 'module', publicPath: 'auto' },
};
