import { App } from './app.js';
import { translate } from './language/index.js';
import { Offline } from './offline/offline.js';
import { TrafficCount } from './offline/traffic.js';
import { diagnostics } from './panels/diagnostics.js';
import { Dialog } from './panels/dialog.js';
import { keys } from './panels/keys.js';
import { modelCard } from './panels/model-card.js';
import { PrivacyPanel } from './panels/privacy.js';
import { TopMenu } from './panels/top-menu.js';

const query = new URLSearchParams(location.search);
const device = query.get('device');
translate(document.documentElement);

const traffic = new TrafficCount(() => count());
const offline = new Offline(traffic, () => count());
const privacy = new PrivacyPanel(traffic, () => offline);
const app = new App({
  device: device === 'webgpu' || device === 'wasm' ? device : 'auto',
  acceptFallbackAdapter: query.has('software-gpu'),
});
const menu = new TopMenu(
  {
    privacy: new Dialog('privacy', 'privacy.title', () => privacy.content()),
    card: new Dialog('card', 'card.title', () => modelCard(app.model?.metadata ?? null)),
    diagnostics: new Dialog('diagnostics', 'diagnostics.title', () => diagnostics({ ...app.state(), offline: offline.state })),
    keys: new Dialog('keys', 'keys.title', keys),
  },
  () => {
    app.refresh();
    count();
  },
);

function count(): void {
  privacy.count();
  menu.sent(privacy.sent);
}

count();
await offline.start();
if (await app.load()) await offline.keep();
