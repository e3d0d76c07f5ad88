// The package with its DICOM entry as a plain page uses it, and files of the server as a reader would bring them.
import * as medley from '/web/dist/index.js';
import * as dicom from '/web/dist/dicom.js';

/** Files behind addresses, with their names. */
async function filesOf(...addresses) {
  return Promise.all(
    addresses.map(async (address) => new File([await (await fetch(address)).arrayBuffer()], address.split('/').at(-1))),
  );
}

Object.assign(window, { medley, dicom, filesOf });
document.title = 'loaded';
