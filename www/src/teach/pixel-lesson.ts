import { maskRows } from '../answers/mask-rows.js';
import { button, h } from '../dom.js';
import { fileName } from '../format.js';
import { t } from '../language/index.js';
import type { Item } from '../list/item.js';
import type { LayerClass } from '../viewer/layers.js';
import { estimateCard } from './estimate-card.js';
import type { Painter } from './painter.js';
import type { PixelTeacher } from './pixel-teacher.js';

export interface PixelLessonEvents {
  onSelect: (item: Item) => void;
  /** A class is to be drawn in another way. */
  onStyle: () => void;
  onExport: () => void;
  onEnd: () => void;
}

/** What is being taught with a brush: classes with their strokes, how good it is, and what it says of the image on the stage. */
export function pixelLesson(teacher: PixelTeacher, painter: Painter, item: Item | null, askBar: HTMLElement, events: PixelLessonEvents): Node[] {
  const { head, strokes, taught } = teacher;
  if (head === null) return [];
  const layer = item === null ? null : painter.layer(item);
  return [
    h(
      'section',
      { class: 'card lesson' },
      h('h3', {}, head.name),
      h('p', { class: 'hint', t: item === null ? 'teach.paintNoImage' : 'teach.paintHint' }),
      h('ul', { class: 'rows' }, ...painter.classes.map((entry) => strokeRow(entry, strokes.filter((stroke) => stroke.class === entry.name).length))),
      taught && strokes.length === 0 ? h('p', { class: 'hint', id: 'teach-opened', t: 'teach.opened' }) : null,
      h('p', { class: 'hint', role: 'status', id: 'teach-state' }, teacher.busy ? t('teach.busy') : t('teach.strokes', { n: strokes.length })),
    ),
    ...(taught
      ? [
          estimateCard({
            head,
            curve: teacher.curve,
            of: 'pixel',
            doubtful: teacher.doubtful.map(({ stroke, instead }) => ({
              text: t('teach.doubtStroke', { n: stroke.number, name: fileName(stroke.item.file), own: stroke.class, instead }),
              onSelect: () => events.onSelect(stroke.item),
            })),
          }),
        ]
      : []),
    ...(layer === null
      ? []
      : [h('section', { class: 'card result', 'data-taught': head.name }, h('h3', { t: 'teach.thisImage' }), maskRows(layer, events.onStyle))]),
    askBar,
    h(
      'div',
      { class: 'actions' },
      button('teach.export', events.onExport, { class: 'quiet', id: 'teach-export', disabled: !taught }),
      button('teach.end', events.onEnd, { class: 'quiet', id: 'teach-end' }),
    ),
    h('p', { class: 'hint', t: 'teach.limits' }),
  ];
}

function strokeRow({ name, style }: LayerClass, count: number): HTMLElement {
  const dot = h('span', { class: 'brush-dot', 'aria-hidden': 'true' });
  dot.style.setProperty('--colour', style.colour);
  return h('li', { 'data-strokes': name }, dot, h('span', { class: 'name' }, name), h('span', { class: 'value' }, String(count)));
}
