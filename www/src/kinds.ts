import { h } from './dom.js';
import { sentence } from './format.js';

/** Buttons that narrow the answers down to one kind of image; `null` is all. */
export function kindFilter(
  kinds: readonly string[],
  current: string | null,
  onChoose: (kind: string | null) => void,
): HTMLElement {
  const chip = (kind: string | null): HTMLElement => {
    const input = h('input', { type: 'radio', name: 'kind', checked: kind === current, value: kind ?? '' });
    input.addEventListener('change', () => onChoose(kind));
    return h('label', { class: 'chip' }, input, h('span', {}, kind === null ? 'All kinds' : sentence(kind)));
  };
  return h(
    'fieldset',
    { class: 'kinds' },
    h('legend', {}, 'Kind of image'),
    ...kinds.map(chip),
    chip(null),
  );
}
