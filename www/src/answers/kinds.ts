import { h } from '../dom.js';
import { sentence, term } from '../format.js';
import { t } from '../language/index.js';

/** Buttons that narrow the answers down to one kind of image; `null` is all. */
export function kindFilter(
  kinds: readonly string[],
  current: string | null,
  onChoose: (kind: string | null) => void,
): HTMLElement {
  const chip = (kind: string | null): HTMLElement => {
    const input = h('input', { type: 'radio', name: 'kind', checked: kind === current, value: kind ?? '' });
    input.addEventListener('change', () => {
      onChoose(kind);
      // The answers were made anew: the reader's keyboard stays where it was.
      document.querySelector<HTMLInputElement>('input[name="kind"]:checked')?.focus();
    });
    return h('label', { class: 'chip' }, input, h('span', {}, kind === null ? t('answers.all') : sentence(term(kind))));
  };
  return h('fieldset', { class: 'kinds' }, h('legend', { t: 'answers.kind' }), ...kinds.map(chip), chip(null));
}
