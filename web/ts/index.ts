/**
 * Medley in the browser: one encoder pass over an image, and every asked-for task answers.
 *
 * ```ts
 * import { loadModel } from '@medley/web';
 *
 * const model = await loadModel('/models/medley-nano/', { onProgress: (p) => bar.value = p.fraction });
 * const { report, masks } = await model.analyze(file, { tasks: ['lungs'] });
 * ```
 *
 * Everything runs in a worker on the user's own device; no request carries pixels or results.
 * Research use only. Not for diagnostic use.
 *
 * @packageDocumentation
 */

export * from './exports.js';
export { loadModel } from './load.js';
