import '/web/dist/element.js';

// The events of the element, in their order, for the test to read.
const told = [];
for (const name of ['progress', 'ready', 'result', 'error', 'backendchange']) {
  document.addEventListener(name, ({ detail }) => told.push({ name, code: detail.code, tasks: detail.report?.results?.map(({ task }) => task) }), true);
}
Object.assign(window, { told });
