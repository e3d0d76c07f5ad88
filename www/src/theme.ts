/** `auto` follows the system. */
export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const STORED = 'medley-theme';

export function theme(): Theme {
  return THEMES.find((name) => name === document.documentElement.dataset['theme']) ?? 'auto';
}

export function setTheme(next: Theme): void {
  document.documentElement.dataset['theme'] = next;
  try {
    localStorage.setItem(STORED, next);
  } catch {
    // Where nothing may be stored the choice holds for this visit.
  }
}

/** Takes up what the reader chose before. */
export function restoreTheme(): void {
  try {
    setTheme(THEMES.find((name) => name === localStorage.getItem(STORED)) ?? 'auto');
  } catch {
    setTheme('auto');
  }
}
