import { bars } from '../answers/class-bars.js';
import { button, h } from '../dom.js';
import { fileName } from '../format.js';
import { t } from '../language/index.js';
import { type Item, slicesOf } from '../list/item.js';
import { estimateCard } from './estimate-card.js';
import type { Teacher } from './teacher.js';

export interface LessonEvents {
  /** Makes the image on the stage an example of a class; `null`: of none. */
  onTeach: (name: string | null) => void;
  onSelect: (item: Item) => void;
  onExport: () => void;
  onEnd: () => void;
}

/** What is being taught: classes with their examples, how good it is, and what it says of the image on the stage. */
export function lesson(teacher: Teacher, item: Item | null, askBar: HTMLElement, events: LessonEvents): Node[] {
  const { head } = teacher;
  if (head === null) return [];
  const taught = head.lesson !== null;
  const answer = item === null ? null : teacher.answerOn(item);
  return [
    h(
      'section',
      { class: 'card lesson' },
      h('h3', {}, head.name),
      classRows(teacher, item, events),
      taught && teacher.examples.length === 0 ? h('p', { class: 'hint', id: 'teach-opened', t: 'teach.opened' }) : null,
      h('p', { class: 'hint', role: 'status', id: 'teach-state' }, teacher.busy ? t('teach.busy') : t('teach.count', { n: teacher.examples.length })),
    ),
    ...(taught
      ? [
          estimateCard({
            head,
            curve: teacher.curve,
            of: 'image',
            doubtful: teacher.doubtful.map(({ item, class: own, instead }) => ({
              text: t('teach.doubt', { name: fileName(item.file), own, instead }),
              onSelect: () => events.onSelect(item),
            })),
          }),
        ]
      : []),
    ...(taught && item !== null && answer !== null
      ? [h('section', { class: 'card result', 'data-taught': head.name }, h('h3', { t: slicesOf(item) > 1 ? 'answers.thisSlice' : 'teach.thisImage' }), bars(answer, head.name, true))]
      : []),
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

function classRows(teacher: Teacher, item: Item | null, events: LessonEvents): HTMLElement {
  const own = item === null ? null : teacher.classOf(item);
  const rows = (teacher.head?.classes ?? []).map((name) => {
    const count = teacher.examples.filter((example) => example.class === name).length;
    const isOwn = own === name;
    const add = h('button', {
      type: 'button',
      class: 'quiet',
      'data-teach': name,
      'aria-pressed': String(isOwn),
      'aria-label': t('teach.addTo', { name }),
      disabled: item === null || item.state === 'failed' || teacher.busy,
      t: isOwn ? 'teach.remove' : 'teach.add',
    });
    add.addEventListener('click', () => events.onTeach(isOwn ? null : name));
    return h('li', {}, h('span', { class: 'name' }, name), h('span', { class: 'value' }, String(count)), add);
  });
  return h('ul', { class: 'rows' }, ...rows);
}
