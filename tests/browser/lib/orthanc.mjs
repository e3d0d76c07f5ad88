// A real DICOMweb server: Orthanc with its plug-in, with an empty store of its own.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { ctSlice } from './dicom.mjs';
import { openHarness } from './harness.mjs';

/** Where Debian's packages put program and plug-in. */
const PROGRAM = '/usr/sbin/Orthanc';
const PLUGIN = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';
const START_MS = 60_000;
/** Who may talk with it: requests come from nobody else. */
export const TOKEN = 'a-token-of-the-portal';

/** Why there is none, or `null`. */
export function withoutOrthanc() {
  const there = existsSync(PROGRAM) && existsSync(PLUGIN);
  return there ? null : 'no Orthanc; Debian: apt-get install orthanc orthanc-dicomweb';
}

async function startOrthanc() {
  const port = await freePort();
  const store = mkdtempSync(join(tmpdir(), 'medley-orthanc-'));
  const configuration = join(store, 'orthanc.json');
  const settings = {
    StorageDirectory: join(store, 'db'),
    IndexDirectory: join(store, 'db'),
    Plugins: [PLUGIN],
    HttpPort: port,
    DicomServerEnabled: false,
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    DicomWeb: { Enable: true, Root: '/dicom-web/' },
  };
  writeFileSync(configuration, JSON.stringify(settings));
  const process = spawn(PROGRAM, [configuration], { stdio: 'ignore' });
  const base = `http://127.0.0.1:${port}`;
  for (const begin = Date.now(); ; await wait(200)) {
    if (await fetch(`${base}/dicom-web/studies`).then(({ ok }) => ok, () => false)) break;
    if (Date.now() - begin > START_MS) throw new Error('Orthanc does not answer');
  }
  return {
    base,
    /** Takes a file in, by Orthanc's own interface. @param {Buffer} file */
    async add(file) {
      const { ok, status } = await fetch(`${base}/instances`, { method: 'POST', body: new Uint8Array(file) });
      if (!ok) throw new Error(`Orthanc refuses the file: ${status}`);
    },
    /** What Orthanc itself knows. @param {string} path */
    async ask(path) {
      return (await fetch(base + path)).json();
    },
    async close() {
      const ended = new Promise((resolve) => process.once('exit', resolve));
      process.kill();
      await ended;
      rmSync(store, { recursive: true, force: true });
    },
  };
}

/**
 * An Orthanc with two slices of a CT, and a harness whose pages reach it below /dicom-web/.
 * @param {Record<string, string>} [folders] of the harness
 * @param {string} [policy] of its pages
 */
export async function openArchive(folders = {}, policy = undefined) {
  const orthanc = await startOrthanc();
  for (const n of [0, 1]) await orthanc.add(ctSlice(n));
  const harness = await openHarness(folders, { '/dicom-web/': `${orthanc.base}/dicom-web/` }, policy).catch(async (error) => {
    // Else the server would keep the tests from ending.
    await orthanc.close();
    throw error;
  });
  return {
    orthanc,
    harness,
    async close() {
      await harness.close();
      await orthanc.close();
    },
  };
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
