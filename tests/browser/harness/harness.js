// The package as a plain page uses it: no bundler, every file served as it was built.
import * as medley from '/web/dist/index.js';
import * as slim from '/web/dist/slim.js';

/** How a promise ends: "ok", or name and code of the error. */
async function outcome(promise) {
  try {
    await promise;
    return 'ok';
  } catch (error) {
    return `${error.name}: ${error.code}`;
  }
}

Object.assign(window, { medley, slim, outcome });
document.title = 'loaded';
