/**
 * Defines `<medley-viewer>`; importing it is all there is to do.
 *
 * @packageDocumentation
 */

import { MedleyViewer } from './element/viewer.js';
import { loadModel } from './load.js';

export type { ViewerMessages } from './element/messages.js';
export { MedleyViewer, type ViewerEvents } from './element/viewer.js';

MedleyViewer.loader = loadModel;
// Two copies of the package on one page would define it twice; the first one stays.
if (customElements.get('medley-viewer') === undefined) customElements.define('medley-viewer', MedleyViewer);
