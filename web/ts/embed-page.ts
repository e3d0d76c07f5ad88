/**
 * The script of `embed/embed.html`: the viewer as a whole page, for use in a frame.
 *
 * The model is named by the query (`?src=…&tasks=…&device=…`) and must be of the page's own origin.
 * Which other pages may talk with it only the page itself says, in its element
 * `<meta name="medley-allowed-origins">`; by default none.
 */

import './element.js';
import { type FromFrame, readMessage, readOrigins, type ToFrame } from './embed-protocol.js';
import { MedleyError, toErrorData } from './errors.js';
import { isAbort } from './cancel.js';
import { NOTICE } from './notice.js';
import { VERSION } from './version.js';
import type { MedleyViewer, ViewerEvents } from './element/viewer.js';

/** A page that has said hello. */
interface Peer {
  window: Window;
  origin: string;
}

type Answer = FromFrame extends infer Message ? (Message extends unknown ? Omit<Message, 'medley'> : never) : never;

const allowed = readOrigins(
  document.querySelector<HTMLMetaElement>('meta[name="medley-allowed-origins"]')?.content ?? '',
);
const viewer = document.createElement('medley-viewer');
const peers: Peer[] = [];
/** What runs for a peer, by its own number. */
const running = new Map<string, AbortController>();

function tell(peer: Peer, message: Answer): void {
  peer.window.postMessage({ medley: 1, ...message }, peer.origin);
}

function tellAll(message: Answer): void {
  for (const peer of peers) tell(peer, message);
}

function receive(event: MessageEvent<unknown>): void {
  if (event.source === null || !allowed.has(event.origin)) return;
  const message = readMessage(event.data);
  if (message === null) return;
  const peer: Peer = { window: event.source as Window, origin: event.origin };
  if (message.type === 'hello') {
    hello(peer);
    return;
  }
  const known = peers.some(({ window, origin }) => window === peer.window && origin === peer.origin);
  if (!known) return;
  const key = `${peers.findIndex(({ window }) => window === peer.window)}:${message.id}`;
  if (message.type === 'cancel') running.get(key)?.abort();
  else void analyze(peer, key, message);
}

function hello(peer: Peer): void {
  if (!peers.some(({ window, origin }) => window === peer.window && origin === peer.origin)) peers.push(peer);
  const { model } = viewer;
  tell(peer, { type: 'hello', version: VERSION, notice: NOTICE, ready: model !== null });
  if (model !== null) tell(peer, readiness(model));
}

function readiness(model: ViewerEvents['ready']): Answer {
  return { type: 'ready', model: model.metadata.name, tasks: model.tasks, backend: model.backend };
}

async function analyze(
  peer: Peer,
  key: string,
  { id, image, tasks }: Extract<ToFrame, { type: 'analyze' }>,
): Promise<void> {
  const controller = new AbortController();
  running.set(key, controller);
  try {
    const { model } = viewer;
    if (model === null) {
      throw new MedleyError('backend', 'the model is not ready: wait for the message "ready", then ask again');
    }
    const analysis = await model.analyze(image, {
      ...(tasks === undefined ? {} : { tasks }),
      signal: controller.signal,
    });
    tell(peer, { type: 'result', id, analysis });
  } catch (thrown) {
    if (isAbort(thrown)) tell(peer, { type: 'error', id, code: 'cancelled', message: 'the call was cancelled' });
    else tell(peer, { type: 'error', id, ...toErrorData(thrown) });
  } finally {
    running.delete(key);
  }
}

/** Passes the viewer's own events on. */
function listen(): void {
  const on = <Name extends keyof ViewerEvents>(name: Name, pass: (detail: ViewerEvents[Name]) => Answer): void => {
    viewer.addEventListener(name, (event) => tellAll(pass((event as CustomEvent<ViewerEvents[Name]>).detail)));
  };
  on('progress', (progress) => ({ type: 'progress', progress }));
  on('ready', readiness);
  on('result', (analysis) => ({ type: 'result', id: null, analysis }));
  on('error', ({ code, message }) => ({ type: 'error', id: null, code, message }));
  on('backendchange', (change) => ({ type: 'backendchange', change }));
}

function start(element: MedleyViewer): void {
  const query = new URLSearchParams(location.search);
  for (const name of ['tasks', 'device']) {
    const value = query.get(name);
    if (value !== null) element.setAttribute(name, value);
  }
  const src = new URL(query.get('src') ?? '', location.href);
  document.body.append(element);
  if (query.get('src') === null || src.origin !== location.origin) {
    const note = document.createElement('p');
    note.setAttribute('role', 'alert');
    note.textContent = 'The address lacks "?src=", the folder of a model on this same host.';
    document.body.prepend(note);
    return;
  }
  element.src = src.href;
}

listen();
addEventListener('message', receive);
start(viewer);
