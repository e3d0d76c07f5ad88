import type { TaskSpec } from '@medley/web';
import { button, h } from '../dom.js';
import { taskTitle } from '../format.js';
import { t } from '../language/index.js';

/** What is to be taught. Names are trimmed, none is empty or there twice. */
export interface Beginning {
  /** Whether whole images are told apart, or their pixels. */
  scope: 'image' | 'pixel';
  name: string;
  classes: string[];
  /** The task that looks at images as finely as is wanted; pixels alone, and none for whole images at once. */
  like?: string;
}

export interface SetupEvents {
  onBegin: (beginning: Beginning) => void;
  /** Begins with the reader's marks; whether there are any of both sorts. */
  onMarks: () => boolean;
  onImport: (file: File) => void;
}

/** Asks what is to be taught: whole images or pixels, a name, and two classes or more. */
export function setup(tasks: () => readonly TaskSpec[], events: SetupEvents): Node[] {
  let scope: Beginning['scope'] = 'image';
  const hint = h('p', { class: 'hint', t: 'teach.hint' });
  const name = h('input', { id: 'head-name', type: 'text', maxlength: 60, required: true, placeholder: t('teach.nameExample') });
  const list = h('div', { class: 'class-fields' });
  const addField = (): void => {
    const n = list.children.length + 1;
    const input = h('input', { type: 'text', maxlength: 60, 'aria-label': t('teach.classN', { n }), placeholder: t('teach.classN', { n }) });
    list.append(input);
  };
  addField();
  addField();
  const detail = detailField();
  const ground = h('p', { class: 'hint', id: 'ground-hint', t: 'teach.groundHint' });
  const said = h('p', { class: 'hint error-text', role: 'alert' });
  const choose = (chosen: Beginning['scope']): void => {
    scope = chosen;
    const pixels = scope === 'pixel';
    hint.textContent = t(pixels ? 'teach.hintPixels' : 'teach.hint');
    hint.dataset['t'] = pixels ? 'teach.hintPixels' : 'teach.hint';
    detail.element.hidden = !pixels;
    if (pixels) detail.offer(tasks());
    ground.hidden = !pixels;
    name.placeholder = t(pixels ? 'teach.nameExamplePixels' : 'teach.nameExample');
    // What is around the thing that is looked for is a class in every mask.
    const [first] = list.querySelectorAll('input');
    if (first === undefined) return;
    if (pixels && first.value === '') first.value = t('teach.ground');
    else if (!pixels && first.value === t('teach.ground')) first.value = '';
  };
  const form = h(
    'form',
    { class: 'card teach-form' },
    scopeChoice(choose),
    hint,
    h('label', { for: 'head-name', t: 'teach.name' }),
    name,
    h('p', { class: 'label', t: 'teach.classes' }),
    ground,
    list,
    detail.element,
    h(
      'div',
      { class: 'actions' },
      button('teach.addClass', addField, { class: 'quiet' }),
      h('button', { type: 'submit', class: 'primary quiet', id: 'teach-begin', t: 'teach.begin' }),
    ),
    said,
  );
  choose(scope);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const classes = [...list.querySelectorAll('input')].map((input) => input.value.trim()).filter((text) => text !== '');
    if (new Set(classes).size < 2 || new Set(classes).size < classes.length) {
      said.textContent = t('teach.twoClasses');
      return;
    }
    const like = scope === 'pixel' ? detail.like() : null;
    events.onBegin({ scope, name: name.value.trim(), classes, ...(like === null ? {} : { like }) });
  });
  const picker = h('input', { type: 'file', accept: '.safetensors', id: 'head-picker', class: 'visually-hidden', tLabel: 'teach.import', tabindex: -1 });
  picker.addEventListener('change', () => {
    const [file] = picker.files ?? [];
    picker.value = '';
    if (file !== undefined) events.onImport(file);
  });
  const fromMarks = (): void => {
    if (!events.onMarks()) said.textContent = t('teach.noMarks');
  };
  const marks = button('teach.fromMarks', fromMarks, { class: 'quiet', id: 'teach-marks' });
  return [
    form,
    h('div', { class: 'actions' }, marks, button('teach.import', () => picker.click(), { class: 'quiet' }), picker),
    h('p', { class: 'hint', t: 'teach.marksHint' }),
  ];
}

/** Whole images, or their pixels. */
function scopeChoice(onChoose: (scope: Beginning['scope']) => void): HTMLElement {
  const option = (scope: Beginning['scope']): HTMLElement => {
    const input = h('input', { type: 'radio', name: 'teach-scope', value: scope, checked: scope === 'image' });
    input.addEventListener('change', () => onChoose(scope));
    return h('label', { class: 'chip' }, input, h('span', { t: `teach.scope.${scope}` }));
  };
  return h('fieldset', { class: 'kinds' }, h('legend', { t: 'teach.scope' }), option('image'), option('pixel'));
}

/** How finely pixels are looked at: the whole image at once, or enlarged as for one of the model's tasks. */
function detailField(): { element: HTMLElement; offer: (tasks: readonly TaskSpec[]) => void; like: () => string | null } {
  const select = h('select', { id: 'head-detail' });
  const element = h('div', { class: 'field detail' }, h('label', { for: 'head-detail', t: 'teach.detail' }), select);
  return {
    element,
    offer: (tasks) => {
      const sides = new Map<number, string>();
      for (const { name, kind, presentation } of tasks) {
        if (kind === 'segmentation' && presentation.way === 'tiles' && !sides.has(presentation.long_side)) sides.set(presentation.long_side, name);
      }
      const finer = [...sides].sort(([a], [b]) => a - b).map(([, task]) => task);
      select.replaceChildren(
        h('option', { value: '', t: 'teach.detailWhole' }),
        ...finer.map((task) => h('option', { value: task }, t('teach.detailLike', { task: taskTitle(task) }))),
      );
    },
    like: () => (select.value === '' ? null : select.value),
  };
}
