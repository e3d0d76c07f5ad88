// @ts-check
/**
 * Medley in the OHIF viewer (version 3.11 or newer): a button that analyses the series in the active viewport, and shows
 * the segmentation. Loaded at run time, without building the viewer anew: see README.md beside this file.
 *
 * A classic script, as OHIF's own configuration is one: it defines `window.medleyOhif`. The model and the DICOM reader are
 * imported when the button is pressed first.
 *
 * Research use only. Not for diagnostic use.
 */
(() => {
  const COMMAND = 'analyzeWithMedley';
  const BUTTON = 'MedleyAnalyze';
  const EVALUATE = 'evaluate.medley';
  const TITLE = 'Medley';
  const NOTICE = 'Research use only. Not for diagnostic use.';
  const own = /** @type {HTMLScriptElement | null} */ (document.currentScript)?.src ?? document.baseURI;

  /**
   * @typedef {object} MedleyOhifOptions
   * @property {string} model - the folder of the model, relative to the page
   * @property {string[]} [tasks] - tasks that make masks; default: all of the model's
   * @property {boolean} [store] - whether the segmentation is stored on the server that the series came from, which is what
   * OHIF shows segmentations from; default: it is saved as a file instead, and nothing is sent
   * @property {string} [section] - the section of the toolbar; default: `primary`
   * @property {string} [scripts] - where the package's `dist` folder is; default: beside this file's folder
   */

  /**
   * The extension, for `extensions` of OHIF's configuration.
   * @param {MedleyOhifOptions} options
   */
  function medleyOhif(options) {
    const { section = 'primary', scripts = new URL('../dist/', own).href } = options;
    /** @type {(() => void) | null} */
    let leave = null;
    /** @type {Promise<any> | null} */
    let loading = null;
    let busy = false;

    /** @param {any} core - OHIF's managers */
    async function analyze({ servicesManager, extensionManager, commandsManager }) {
      const { uiNotificationService: notes } = servicesManager.services;
      /** @param {string} type @param {string} message */
      const say = (type, message) => notes?.show({ title: TITLE, message, type });
      // One at a time: a second press while it works would only wait.
      if (busy) return say('info', 'The last series is still being analysed.');
      busy = true;
      try {
        say('info', `Analysing the series on this device. ${NOTICE}`);
        const shown = await segment({ servicesManager, extensionManager, commandsManager });
        say('success', `${shown} ${NOTICE}`);
      } catch (error) {
        say('error', error instanceof Error ? error.message : String(error));
      } finally {
        busy = false;
      }
    }

    /** @param {any} core @returns {Promise<string>} what became of the result, in words */
    async function segment({ servicesManager, extensionManager, commandsManager }) {
      const { viewportGridService, displaySetService, userAuthenticationService } = servicesManager.services;
      const viewportId = viewportGridService.getActiveViewportId();
      const [uid] = viewportGridService.getDisplaySetsUIDsForViewport(viewportId) ?? [];
      const displaySet = uid === undefined ? undefined : displaySetService.getDisplaySetByUID(uid);
      if (displaySet?.StudyInstanceUID === undefined) throw new Error('No series is in the active viewport: open one.');
      const { StudyInstanceUID: study, SeriesInstanceUID: series } = displaySet;
      const [dataSource] = extensionManager.getActiveDataSource();
      const address = dataSource?.getConfig?.().wadoRoot;
      if (address === undefined) throw new Error('This data source has no DICOMweb address (wadoRoot) to read the series from.');
      const [{ loadModel }, { analyzeSeries, DicomWeb, openDicom, toSegmentation }] = await Promise.all([
        import(new URL('index.js', scripts).href),
        import(new URL('dicom.js', scripts).href),
      ]);
      const token = () => {
        const header = userAuthenticationService?.getAuthorizationHeader?.()?.Authorization ?? '';
        return header.replace(/^Bearer /, '') || null;
      };
      const server = new DicomWeb(address, { token });
      /** @type {any} */
      let files = null;
      try {
        files = await openDicom(await server.retrieve([study, series]));
        const [first] = files.series;
        if (first === undefined) throw files.failed[0]?.error ?? new Error('The series has no image that can be read.');
        const model = await loaded(loadModel);
        const masks = model.tasks.filter((/** @type {any} */ { kind }) => kind === 'segmentation').map((/** @type {any} */ { name }) => name);
        const tasks = masks.filter((/** @type {string} */ name) => options.tasks?.includes(name) ?? true);
        if (tasks.length === 0) throw new Error(`None of the tasks makes masks; those that do: ${masks.join(', ')}.`);
        const object = await toSegmentation(await analyzeSeries(model, first, { tasks }), { model });
        if (options.store !== true) {
          save(object);
          return 'The segmentation was saved as a file; nothing was sent.';
        }
        const { stored } = await server.store([object]);
        if (stored !== 1) throw new Error('The server refused the segmentation.');
        return await show({ dataSource, displaySetService, commandsManager, viewportId, study, series });
      } finally {
        files?.dispose();
        server.dispose();
      }
    }

    /** The model stays for the next series; one that did not load is asked for again. @param {any} loadModel */
    function loaded(loadModel) {
      loading ??= loadModel(new URL(options.model, document.baseURI)).catch((/** @type {unknown} */ error) => {
        loading = null;
        throw error;
      });
      return loading;
    }

    /** Has OHIF read what the server has now, and puts the new segmentation over the series. @param {any} of */
    async function show({ dataSource, displaySetService, commandsManager, viewportId, study, series }) {
      const before = new Set(displaySetService.getActiveDisplaySets().map((/** @type {any} */ set) => set.displaySetInstanceUID));
      dataSource.deleteStudyMetadataPromise?.(study);
      await dataSource.retrieve.series.metadata({ StudyInstanceUID: study });
      const added = displaySetService
        .getActiveDisplaySets()
        .find(
          (/** @type {any} */ set) =>
            set.Modality === 'SEG' &&
            !before.has(set.displaySetInstanceUID) &&
            (set.referencedSeriesInstanceUID ?? series) === series,
        );
      if (added === undefined) return 'The segmentation was stored; reload the study to see it.';
      await commandsManager.runCommand('hydrateSecondaryDisplaySet', { displaySet: added, viewportId });
      return 'The segmentation was stored, and is shown over the series.';
    }

    return {
      id: '@medley/ohif',

      /** @param {any} core */
      getCommandsModule: (core) => ({
        definitions: { [COMMAND]: { commandFn: () => analyze(core) } },
        defaultContext: 'DEFAULT',
      }),

      getToolbarModule: () => [{ name: EVALUATE, evaluate: () => ({ disabled: false }) }],

      /** Modes make their toolbars after this: the button is added to what they have made. @param {any} core */
      onModeEnter({ servicesManager }) {
        const { toolbarService } = servicesManager.services;
        toolbarService.register([
          {
            id: BUTTON,
            uiType: 'ohif.toolButton',
            props: {
              icon: 'tool-segmentation',
              label: 'Analyze with Medley',
              tooltip: `Analyze with Medley. ${NOTICE}`,
              commands: [{ commandName: COMMAND, context: 'DEFAULT' }],
              evaluate: EVALUATE,
            },
          },
        ]);
        const add = () => {
          const there = toolbarService.state.buttonSections[section];
          if (there === undefined || there.includes(BUTTON)) return;
          toolbarService.updateSection(section, [...there, BUTTON]);
        };
        const { unsubscribe } = toolbarService.subscribe(toolbarService.EVENTS.TOOL_BAR_MODIFIED, add);
        leave = unsubscribe;
        add();
      },

      onModeExit() {
        leave?.();
        leave = null;
      },
    };
  }

  /** @param {Blob} object */
  function save(object) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(object);
    link.download = 'medley-segmentation.dcm';
    link.click();
    // The browser has taken it by then.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  Object.assign(window, { medleyOhif });
})();
