/** The ways a file comes in: drop, paste, picker. */
export function takeFiles(dropTarget: HTMLElement, picker: HTMLInputElement, onFile: (file: File) => void): void {
  picker.addEventListener('change', () => {
    const file = picker.files?.[0];
    // Emptied so that the same file can be picked twice.
    picker.value = '';
    if (file !== undefined) onFile(file);
  });

  document.addEventListener('paste', (event) => {
    const file = event.clipboardData?.files[0];
    if (file !== undefined) onFile(file);
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
    const file = event.dataTransfer?.files[0];
    if (file !== undefined) onFile(file);
  });
}
