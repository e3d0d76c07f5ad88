/** Hands something made by the page to the reader as a file. Nothing is sent: the browser saves it. */
export function save(content: Blob | string, name: string, type: string): void {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** "a/chest.png" → "chest-medley.json". */
export function exportName(source: string, ending: string): string {
  const stem = source.replace(/^.*[\\/]/, '').replace(/\.[^.]*$/, '');
  return `${stem || 'image'}-medley.${ending}`;
}
