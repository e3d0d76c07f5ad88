import { h } from '../dom.js';
import { called } from '../format.js';
import { t } from '../language/index.js';
import type { LayerClass } from '../viewer/layers.js';
import { COLOURS } from '../viewer/palette.js';

const LIST = 'palette';

/** The colour of a class, to be seen and changed; colours that everybody can tell apart are offered first. */
export function colourInput(entry: LayerClass, onStyle: () => void): HTMLElement {
  const { style } = entry;
  offerPalette();
  const input = h('input', {
    type: 'color',
    value: style.colour,
    list: LIST,
    'aria-label': t('answers.colourOf', { name: called(entry) }),
    tTitle: 'answers.colour',
  });
  input.addEventListener('input', () => {
    style.colour = input.value;
    onStyle();
  });
  return input;
}

function offerPalette(): void {
  if (document.getElementById(LIST) !== null) return;
  document.body.append(h('datalist', { id: LIST }, ...COLOURS.map((value) => h('option', { value }))));
}
