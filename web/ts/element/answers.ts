import type { Analysis, TaskResult, TaskSpec } from '../types.js';
import { cssColourOf } from './colours.js';
import { h } from './dom.js';
import type { ViewerMessages } from './messages.js';

/** Classes beyond these are left to the `result` event. */
const MAX_CLASSES = 5;

/** The answers as a list: one entry per task, with a switch where something is drawn. */
export function answerList(
  analysis: Analysis,
  tasks: readonly TaskSpec[],
  shown: ReadonlySet<string>,
  messages: ViewerMessages,
  onShow: (task: string, show: boolean) => void,
): HTMLElement {
  const list = h('ul', { class: 'answers', part: 'results', 'aria-label': messages.results });
  for (const result of analysis.report.results) {
    const classes = tasks.find(({ name }) => name === result.task)?.classes ?? [];
    const task = messages.nameOf(result.task);
    const head = h('div', { class: 'head' }, h('span', { class: 'task', part: 'task' }, task));
    if (result.kind !== 'classification') {
      const box = h('input', { type: 'checkbox', checked: shown.has(result.task) });
      box.addEventListener('change', () => onShow(result.task, box.checked));
      head.append(h('label', {}, box, ` ${messages.show}`, h('span', { class: 'hidden' }, ` ${task}`)));
    }
    list.append(h('li', { part: 'result' }, head, ...rows(result, classes, messages)));
  }
  return list;
}

function rows(result: TaskResult, classes: readonly string[], messages: ViewerMessages): HTMLElement[] {
  switch (result.kind) {
    case 'classification':
      return [...result.classes]
        .sort((a, b) => b.probability - a.probability)
        .slice(0, MAX_CLASSES)
        .map(({ name, probability }) => {
          const bar = h('meter', { min: 0, max: 1, value: probability, part: 'bar', 'aria-hidden': 'true' });
          return row(null, messages.nameOf(name), percent(probability), bar);
        });
    case 'segmentation': {
      const { pixels, width, height } = result.mask;
      const found = classes.slice(1).flatMap((name, i) => {
        const count = pixels[name] ?? 0;
        return count === 0 ? [] : [row(cssColourOf(i), messages.nameOf(name), `${percent(count / (width * height))}, ${count} px`)];
      });
      return found.length > 0 ? found : [row(null, messages.none, '')];
    }
    case 'detection': {
      const found = classes.flatMap((name, i) => {
        const count = result.boxes.filter((box) => box.class === name).length;
        return count === 0 ? [] : [row(cssColourOf(i), messages.nameOf(name), `${count} ${messages.things}`)];
      });
      return found.length > 0 ? found : [row(null, messages.none, '')];
    }
  }
}

function row(colour: string | null, name: string, value: string, ...more: HTMLElement[]): HTMLElement {
  const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
  if (colour !== null) swatch.style.setProperty('background', colour);
  swatch.hidden = colour === null;
  return h('div', { class: 'row' }, swatch, h('span', { class: 'name' }, name), h('span', { class: 'value' }, value), ...more);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
