import { h } from '../dom.js';
import { area as areaText, called, integer, percent, titled } from '../format.js';
import { t } from '../language/index.js';
import type { LayerClass, MaskLayer } from '../viewer/layers.js';
import { type Fill, FILLS } from '../viewer/style.js';
import { colourInput } from './colour-input.js';

/** The classes of a mask: area, colour, opacity, outline. */
export function maskRows(layer: MaskLayer, onStyle: () => void): HTMLElement {
  const { width, height, pixels, mm2 } = layer.mask;
  const list = h('ul', { class: 'rows' });
  for (const entry of layer.classes) {
    const area = pixels[entry.name] ?? 0;
    list.append(
      h(
        'li',
        { class: 'mask-class' },
        colourInput(entry, onStyle),
        h('span', { class: 'name' }, titled(entry)),
        h('span', { class: 'value' }, percent(area / (width * height))),
        mm2 == null ? null : h('span', { class: 'value minor area' }, areaText(mm2[entry.name] ?? 0)),
        h('span', { class: 'value minor' }, t('answers.pixels', { n: integer(area) })),
        h('div', { class: 'look' }, fillSelect(entry, onStyle), opacity(entry, onStyle)),
      ),
    );
  }
  return list;
}

function fillSelect(entry: LayerClass, onStyle: () => void): HTMLElement {
  const { style } = entry;
  const select = h(
    'select',
    { 'aria-label': t('answers.fillOf', { name: called(entry) }) },
    ...FILLS.map((fill) => h('option', { value: fill, selected: style.fill === fill }, t(`fill.${fill}`))),
  );
  select.addEventListener('change', () => {
    style.fill = select.value as Fill;
    onStyle();
  });
  return select;
}

function opacity(entry: LayerClass, onStyle: () => void): HTMLElement {
  const { style } = entry;
  const input = h('input', {
    type: 'range',
    min: 0,
    max: 100,
    value: Math.round(100 * style.opacity),
    'aria-label': t('answers.opacityOf', { name: called(entry) }),
    tTitle: 'answers.opacity',
  });
  input.addEventListener('input', () => {
    style.opacity = Number(input.value) / 100;
    onStyle();
  });
  return input;
}
