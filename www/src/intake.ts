import { sniff } from '@medley/web/dicom';

const IMAGE_NAME = /\.(png|jpe?g)$/i;

/** What a reader brought along. */
export interface Intake {
  /** Pictures as they are. */
  files: File[];
  /** DICOM files and archives, which are to be opened. */
  dicom: File[];
  /** How many files of a folder or of a drop of many were passed over: they are no images. */
  skipped: number;
}

/** The ways files come in: drop (also of folders), paste, picker. */
export function takeFiles(
  dropTarget: HTMLElement,
  pickers: readonly HTMLInputElement[],
  onFiles: (intake: Intake) => void,
): void {
  for (const picker of pickers) {
    picker.addEventListener('change', () => {
      const files = [...(picker.files ?? [])];
      // Emptied so that the same file can be picked twice.
      picker.value = '';
      if (files.length > 0) void sift(files, picker.webkitdirectory).then(onFiles);
    });
  }

  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) void sift(files, false).then(onFiles);
  });

  // Anywhere on the page: a drop beside the target must not make the browser leave the page.
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    dropTarget.classList.add('dropping');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) dropTarget.classList.remove('dropping');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    dropTarget.classList.remove('dropping');
    const transfer = event.dataTransfer;
    if (transfer === null) return;
    // Entries must be taken before the event ends; folders have no files in `transfer.files`.
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
    const folders = entries.some((entry) => entry?.isDirectory === true);
    if (!folders) {
      if (transfer.files.length > 0) void sift([...transfer.files], false).then(onFiles);
      return;
    }
    void Promise.all(entries.map((entry) => (entry === null ? [] : filesOf(entry))))
      .then((found) => sift(found.flat(), true))
      .then(onFiles);
  });
}

/**
 * DICOM files and archives are known by their content. One other file is taken whatever it is: the model says what is
 * wrong with it. Of many, those that are no images by name or content are passed over.
 */
async function sift(files: readonly File[], folder: boolean): Promise<Intake> {
  const kinds = await Promise.all(files.map((file) => sniff(file).catch(() => 'other' as const)));
  const isDicom = (i: number): boolean => kinds[i] === 'dicom' || kinds[i] === 'zip';
  const dicom = files.filter((_, i) => isDicom(i));
  const rest = files.filter((_, i) => !isDicom(i));
  if (!folder && files.length === 1) return { files: rest, dicom, skipped: 0 };
  const isImage = (file: File, i: number): boolean =>
    kinds[i] === 'png' || kinds[i] === 'jpeg' || IMAGE_NAME.test(file.name) || /^image\/(png|jpeg)$/.test(file.type);
  const images = files.filter((file, i) => !isDicom(i) && isImage(file, i));
  // A folder gives its files in any order; what was picked one by one stays in the reader's.
  if (folder) for (const list of [images, dicom]) list.sort((a, b) => pathOf(a).localeCompare(pathOf(b), undefined, { numeric: true }));
  return { files: images, dicom, skipped: rest.length - images.length };
}

function pathOf(file: File): string {
  return file.webkitRelativePath === '' ? file.name : file.webkitRelativePath;
}

/** All files below an entry of a drop; what cannot be read is left out. */
async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return new Promise((resolve) => (entry as FileSystemFileEntry).file((file) => resolve([file]), () => resolve([])));
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  // A reader gives a folder in parts; an empty part is the end.
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (part.length === 0) return found;
    for (const child of part) found.push(...(await filesOf(child)));
  }
}
