// Just enough of the WebAssembly format to bound a module's memory.

/**
 * The same module with at most `pages` pages (64 KiB each) of memory: a device that has no more.
 * @param {Buffer} module @param {number} pages
 */
export function limitMemory(module, pages) {
  for (let at = 8; at < module.length; ) {
    const id = module[at];
    const [size, start] = readLeb(module, at + 1);
    if (id === 5) {
      // vec(1) of limits: a flag, then the minimum, then the maximum if the flag says so.
      const [minimum] = readLeb(module, start + 2);
      const section = Buffer.concat([Buffer.from([1, 1]), writeLeb(minimum), writeLeb(pages)]);
      return Buffer.concat([
        module.subarray(0, at),
        Buffer.from([5]),
        writeLeb(section.length),
        section,
        module.subarray(start + size),
      ]);
    }
    at = start + size;
  }
  throw new Error('the module has no memory of its own');
}

/** An unsigned LEB128 number, and where it ends. @param {Buffer} bytes @param {number} at */
function readLeb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return /** @type {const} */ ([value, at]);
  }
}

/** @param {number} value */
function writeLeb(value) {
  const bytes = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}
