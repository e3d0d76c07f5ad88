/** What the model's own code can decode. */
export const ACCEPTED = '.png,.jpg,.jpeg,image/png,image/jpeg';

const IMAGE_NAME = /\.(png|jpe?g)$/i;

/** What a reader brought along. */
export interface Intake {
  files: File[];
  /** How many files of a folder or of a drop of many were passed over: by their names no images. */
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
      if (files.length > 0) onFiles(sift(files, picker.webkitdirectory));
    });
  }

  document.addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) onFiles(sift(files, false));
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
      if (transfer.files.length > 0) onFiles(sift([...transfer.files], false));
      return;
    }
    void Promise.all(entries.map((entry) => (entry === null ? [] : filesOf(entry)))).then((found) =>
      onFiles(sift(found.flat(), true)),
    );
  });
}

/**
 * One file is taken whatever it is called: the model says what is wrong with it. Of many, those that are no
 * images by name are passed over.
 */
function sift(files: readonly File[], folder: boolean): Intake {
  if (!folder && files.length === 1) return { files: [...files], skipped: 0 };
  const images = files.filter((file) => IMAGE_NAME.test(file.name) || /^image\/(png|jpeg)$/.test(file.type));
  // A folder gives its files in any order; what was picked one by one stays in the reader's.
  if (folder) images.sort((a, b) => pathOf(a).localeCompare(pathOf(b), undefined, { numeric: true }));
  return { files: images, skipped: files.length - images.length };
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
