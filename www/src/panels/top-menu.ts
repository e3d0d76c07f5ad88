import { byId, h } from '../dom.js';
import { icon, iconButton } from '../icons.js';
import { LANGUAGES, type Language, language, setLanguage, t } from '../language/index.js';
import { restoreTheme, setTheme, theme, THEMES } from '../theme.js';
import type { Dialog } from './dialog.js';

/** The panels that the head of the page opens. */
export interface Panels {
  privacy: Dialog;
  card: Dialog;
  diagnostics: Dialog;
  keys: Dialog;
}

/** What stands in the page's head: panels, language and colours. */
export class TopMenu {
  readonly #sent = h('span', { id: 'sent' });
  readonly #word = h('span', { class: 'word', t: 'privacy.word' });
  readonly #theme: HTMLButtonElement;

  constructor(panels: Panels, onLanguage: () => void) {
    restoreTheme();
    const privacy = h('button', { type: 'button', class: 'quiet', id: 'open-privacy' }, icon('lock'), this.#sent, this.#word);
    privacy.addEventListener('click', () => panels.privacy.open());
    const languages = h(
      'select',
      { id: 'language', class: 'quiet', tLabel: 'menu.language' },
      ...LANGUAGES.map(([code, name]) => h('option', { value: code, lang: code, selected: code === language() }, name)),
    );
    languages.addEventListener('change', () => {
      setLanguage(languages.value as Language);
      this.#sayTheme();
      onLanguage();
    });
    this.#theme = iconButton('theme', 'menu.theme', () => {
      setTheme(THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length] ?? 'auto');
      this.#sayTheme();
    });
    this.#theme.id = 'theme';
    byId('menu').append(
      privacy,
      iconButton('card', 'card.title', () => panels.card.open(), { id: 'open-card' }),
      iconButton('pulse', 'diagnostics.title', () => panels.diagnostics.open(), { id: 'open-diagnostics' }),
      iconButton('keyboard', 'keys.title', () => panels.keys.open(), { id: 'open-keys' }),
      this.#theme,
      languages,
    );
    this.#sayTheme();
  }

  /** Says how much was sent; `null` where nothing counts it. */
  sent(bytes: string | null): void {
    const text = bytes ?? t('privacy.title');
    if (this.#sent.textContent !== text) this.#sent.textContent = text;
    this.#word.hidden = bytes === null;
  }

  #sayTheme(): void {
    const text = t('menu.themeIs', { theme: t(`theme.${theme()}`) });
    this.#theme.setAttribute('aria-label', text);
    this.#theme.title = text;
  }
}
