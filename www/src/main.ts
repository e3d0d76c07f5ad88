import { App } from './app.js';

const query = new URLSearchParams(location.search);
const device = query.get('device');
const app = new App({
  device: device === 'webgpu' || device === 'wasm' ? device : 'auto',
  acceptFallbackAdapter: query.has('software-gpu'),
});
void app.load();
