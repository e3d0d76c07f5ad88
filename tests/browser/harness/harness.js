// The package as a plain page uses it: no bundler, every file served as it was built.
import * as medley from '/web/dist/index.js';

window.medley = medley;
document.title = 'loaded';
