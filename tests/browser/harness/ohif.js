// What OHIF's core takes from elsewhere and the managers do not use: anything that can be read, called and made.
const anything = () =>
  new Proxy(function () {}, {
    get: (_, key) => (key === '__esModule' ? true : key === Symbol.toPrimitive ? () => '' : key === 'prototype' ? {} : anything()),
    apply: () => anything(),
    construct: () => anything(),
  });
for (const name of ['@cornerstonejs/core', 'dcmjs', '@cornerstonejs/metadata', 'gl-matrix']) globalThis[name] = anything();
