// The extension for OHIF with OHIF's own managers and services, as npm carries them, and a real DICOMweb server.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { IDENTIFIERS } from './lib/dicom.mjs';
import { openArchive, TOKEN, withoutOrthanc } from './lib/orthanc.mjs';

/** The unpacked package @ohif/core, which `cargo xtask test` fetches (`xtask/src/ohif.rs`). */
const CORE = process.env['MEDLEY_OHIF_CORE'] ?? '';
const missing = existsSync(join(CORE, 'dist/ohif-core.umd.js')) ? withoutOrthanc() : 'MEDLEY_OHIF_CORE names no folder of @ohif/core; `cargo xtask test` makes one';
const skip = missing ?? false;

/** @type {Awaited<ReturnType<typeof openArchive>>} */
let archive;
before(async () => {
  if (missing === null) archive = await openArchive({ '/ohif-core/': CORE });
});
after(() => archive?.close());

test('the button is in the toolbar that the mode makes, and its command stores a segmentation that the viewer is told to show', { skip, timeout: 240_000 }, async () => {
  const { context, page, troubles } = await archive.harness.open('/harness/ohif.html');
  const found = await page.evaluate(
    async ({ token, ids }) => {
      const global = /** @type {any} */ (globalThis);
      const core = global['ohif-core'];
      const commandsManager = new core.CommandsManager();
      const servicesManager = new core.ServicesManager(commandsManager);
      servicesManager.registerServices([core.UINotificationService.REGISTRATION, core.ToolbarService.REGISTRATION]);
      const { services } = servicesManager;
      const told = /** @type {{ type: string, message: string }[]} */ ([]);
      services.uiNotificationService.setServiceImplementation({ show: (/** @type {any} */ { type, message }) => told.push({ type, message }) });
      // What belongs to a viewport and a data source is the viewer's own; here it is what it would say.
      const shown = /** @type {any[]} */ ([]);
      const displaySets = [{ displaySetInstanceUID: 'images', Modality: 'CT', StudyInstanceUID: ids.study, SeriesInstanceUID: ids.series }];
      const dataSource = {
        getConfig: () => ({ wadoRoot: `${location.origin}/dicom-web` }),
        deleteStudyMetadataPromise: () => {},
        retrieve: {
          series: {
            metadata: async () => {
              displaySets.push({ displaySetInstanceUID: 'result', Modality: 'SEG', StudyInstanceUID: ids.study, SeriesInstanceUID: 'new' });
            },
          },
        },
      };
      Object.assign(services, {
        viewportGridService: { getActiveViewportId: () => 'one', getDisplaySetsUIDsForViewport: () => ['images'] },
        displaySetService: {
          getDisplaySetByUID: (/** @type {string} */ uid) => displaySets.find(({ displaySetInstanceUID }) => displaySetInstanceUID === uid),
          getActiveDisplaySets: () => displaySets,
        },
        userAuthenticationService: { getAuthorizationHeader: () => ({ Authorization: `Bearer ${token}` }) },
      });
      const extensionManager = new core.ExtensionManager({
        commandsManager,
        servicesManager,
        serviceProvidersManager: new core.ServiceProvidersManager(),
        hotkeysManager: new core.HotkeysManager(commandsManager, servicesManager),
        appConfig: {},
      });
      extensionManager.getActiveDataSource = () => [dataSource];
      const extension = global.medleyOhif({ model: '/models/medley-nano/', tasks: ['lungs'], store: true });
      const viewer = {
        id: 'viewer',
        getCommandsModule: () => ({
          definitions: { hydrateSecondaryDisplaySet: { commandFn: (/** @type {any} */ of) => shown.push(of) } },
          defaultContext: 'DEFAULT',
        }),
      };
      await extensionManager.registerExtensions([viewer, extension], []);
      const toolbar = services.toolbarService;
      extension.onModeEnter({ servicesManager, extensionManager, commandsManager });
      toolbar.updateSection('primary', ['Zoom']);
      const section = [...toolbar.state.buttonSections.primary];
      const button = toolbar.getButton('MedleyAnalyze');
      const [command] = button.props.commands;
      await commandsManager.runCommand(command.commandName, {}, command.context);
      extension.onModeExit();
      return { section, label: button.props.label, told, shown: shown.map(({ displaySet, viewportId }) => [displaySet.displaySetInstanceUID, viewportId]) };
    },
    { token: TOKEN, ids: IDENTIFIERS },
  );
  assert.deepEqual(found.section, ['Zoom', 'MedleyAnalyze']);
  assert.equal(found.label, 'Analyze with Medley');
  assert.deepEqual(found.told.map(({ type }) => type), ['info', 'success'], JSON.stringify(found.told));
  assert.match(found.told[1]?.message ?? '', /Research use only/);
  assert.deepEqual(found.shown, [['result', 'one']]);
  const series = /** @type {any[]} */ (await archive.orthanc.ask('/series?expand'));
  assert.deepEqual(series.map(({ MainDicomTags }) => MainDicomTags.Modality).sort(), ['CT', 'SEG']);
  assert.deepEqual(troubles, []);
  await context.close();
});
