import { button, h } from '../dom.js';
import { t } from '../language/index.js';

export interface SetupEvents {
  /** Names are trimmed, none is empty or there twice. */
  onBegin: (name: string, classes: string[]) => void;
  /** Begins with the reader's marks; whether there are any of both sorts. */
  onMarks: () => boolean;
  onImport: (file: File) => void;
}

/** Asks what is to be taught: a name, and two classes or more. */
export function setup(events: SetupEvents): Node[] {
  const name = h('input', { id: 'head-name', type: 'text', maxlength: 60, required: true, placeholder: t('teach.nameExample') });
  const list = h('div', { class: 'class-fields' });
  const addField = (): void => {
    const n = list.children.length + 1;
    const input = h('input', { type: 'text', maxlength: 60, 'aria-label': t('teach.classN', { n }), placeholder: t('teach.classN', { n }) });
    list.append(input);
  };
  addField();
  addField();
  const said = h('p', { class: 'hint error-text', role: 'alert' });
  const form = h(
    'form',
    { class: 'card teach-form' },
    h('p', { class: 'hint', t: 'teach.hint' }),
    h('label', { for: 'head-name', t: 'teach.name' }),
    name,
    h('p', { class: 'label', t: 'teach.classes' }),
    list,
    h(
      'div',
      { class: 'actions' },
      button('teach.addClass', addField, { class: 'quiet' }),
      h('button', { type: 'submit', class: 'primary quiet', id: 'teach-begin', t: 'teach.begin' }),
    ),
    said,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const classes = [...list.querySelectorAll('input')].map((input) => input.value.trim()).filter((text) => text !== '');
    if (new Set(classes).size < 2 || new Set(classes).size < classes.length) {
      said.textContent = t('teach.twoClasses');
      return;
    }
    events.onBegin(name.value.trim(), classes);
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
