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
  const RELOAD = 'The segmentation was stored; reload the study to see it.';
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
    /** @type {{ unsubscribe(): void }[]} */
    let subscriptions = [];
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
        const before = new Set(await segmentations(server, study));
        const { stored } = await server.store([object]);
        if (stored !== 1) throw new Error('The server refused the segmentation.');
        const added = (await segmentations(server, study)).filter((found) => !before.has(found));
        return await show({ servicesManager, commandsManager, dataSource, viewportId, study, series, added });
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

    /**
     * The series of a study that are segmentations.
     * @param {any} server @param {string} study @returns {Promise<string[]>}
     */
    async function segmentations(server, study) {
      const found = await server.searchSeries(study, { Modality: 'SEG' });
      return found.map((/** @type {any} */ entry) => entry.series);
    }

    /** Has OHIF read the new series, and puts the segmentation over the one that it is of. @param {any} of */
    async function show({ servicesManager, commandsManager, dataSource, viewportId, study, series, added }) {
      const { displaySetService, viewportGridService, userAuthenticationService } = servicesManager.services;
      if (added.length === 0) return RELOAD;
      // OHIF keeps what it has read of a study: before, so that it reads anew; and after, as that was but a part of it.
      forget(dataSource, study);
      await dataSource.retrieve.series.metadata({ StudyInstanceUID: study, filters: { seriesInstanceUID: added } });
      forget(dataSource, study);
      const displaySet = displaySetService
        .getActiveDisplaySets()
        .find((/** @type {any} */ set) => added.includes(set.SeriesInstanceUID) && set.referencedSeriesInstanceUID === series);
      if (displaySet === undefined) return RELOAD;
      const { displaySetInstanceUID, referencedDisplaySetInstanceUID } = displaySet;
      if (!viewportGridService.getDisplaySetsUIDsForViewport(viewportId)?.includes(referencedDisplaySetInstanceUID)) {
        return 'The segmentation was stored, and is in the list of series.';
      }
      try {
        await displaySet.load({ headers: userAuthenticationService?.getAuthorizationHeader?.() });
      } catch (error) {
        const reason = error instanceof Error ? error.message : error;
        throw new Error(`The segmentation was stored, but the viewer cannot show it: ${reason}`);
      }
      await commandsManager.runCommand('addDisplaySetAsLayer', { displaySetInstanceUID, viewportId });
      return 'The segmentation was stored, and is shown over the series.';
    }

    /**
     * OHIF keeps it under the source's name and the study, though its own calls name the study alone.
     * @param {any} dataSource @param {string} study
     */
    function forget(dataSource, study) {
      for (const key of [study, `${dataSource.getConfig().name}:${study}`]) dataSource.deleteStudyMetadataPromise?.(key);
    }

    /**
     * OHIF shows no mask that says not how it lies, and breaks at one without the size of its pixels: those of images
     * that say neither, as many radiographs. A mask lies as its image does. @param {any} displaySetService
     */
    function complete(displaySetService) {
      for (const { Modality, instance, referencedSeriesInstanceUID } of displaySetService.getActiveDisplaySets()) {
        const [image] = Modality === 'SEG' ? displaySetService.getDisplaySetsForSeries(referencedSeriesInstanceUID) : [];
        if (image === undefined) continue;
        const shared = (instance.SharedFunctionalGroupsSequence ??= [{}]);
        const groups = Array.isArray(shared) ? (shared[0] ??= {}) : shared;
        groups.PixelMeasuresSequence ??= {};
        const [frame] = [instance.PerFrameFunctionalGroupsSequence].flat();
        if (frame?.PlaneOrientationSequence !== undefined) continue;
        const orientation = image.instance?.ImageOrientationPatient ?? [1, 0, 0, 0, 1, 0];
        groups.PlaneOrientationSequence ??= { ImageOrientationPatient: orientation };
      }
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
        const { toolbarService, displaySetService } = servicesManager.services;
        toolbarService.register([
          {
            id: BUTTON,
            uiType: 'ohif.toolButton',
            props: {
              icon: 'tab-segmentation',
              label: 'Analyze with Medley',
              tooltip: NOTICE,
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
        subscriptions = [
          toolbarService.subscribe(toolbarService.EVENTS.TOOL_BAR_MODIFIED, add),
          displaySetService.subscribe(displaySetService.EVENTS.DISPLAY_SETS_ADDED, () => complete(displaySetService)),
        ];
        add();
      },

      onModeExit() {
        for (const { unsubscribe } of subscriptions) unsubscribe();
        subscriptions = [];
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
