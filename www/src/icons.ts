import { h } from './dom.js';
import type { Key } from './language/index.js';

const SVG = 'http://www.w3.org/2000/svg';

/** Strokes on a grid of 24 × 24. */
const ICONS = {
  window: ['M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18z', 'M12 3v18', 'M12 8h7.5', 'M12 12h9', 'M12 16h7.5'],
  hand: ['M12 2v20', 'M2 12h20', 'M9 5l3-3l3 3', 'M9 19l3 3l3-3', 'M5 9l-3 3l3 3', 'M19 9l3 3l-3 3'],
  brush: ['M20 3c-3 1.5-7.5 5.5-9.5 9l2.5 2.5c3.5-2 7.5-6.5 9-9.5z', 'M9.5 13.5c-2.5 0-4 1.5-4 3.7c0 1.3-1 2-2.5 2.3c2 1.5 8 1.5 8.7-2.800'],
  eraser: ['M8.5 19.5L3.5 14.5L14 4l6.5 6.5L11.5 19.5z', 'M9 9l6.5 6.5', 'M8.5 19.5H20'],
  undo: ['M9 5L4.5 9.5L9 14', 'M4.5 9.5H14a5 5 0 0 1 0 10h-4'],
  plus: ['M12 5v14', 'M5 12h14'],
  minus: ['M5 12h14'],
  fit: ['M4 9V4h5', 'M20 9V4h-5', 'M4 15v5h5', 'M20 15v5h-5'],
  invert: ['M4 4h16v16H4z', 'M4 20L20 4', 'M7 8h4', 'M13 16h4', 'M15 14v4'],
  layers: ['M12 3l9 5l-9 5l-9-5z', 'M3 13l9 5l9-5'],
  reset: ['M4 12a8 8 0 1 0 2.5-5.8', 'M4 4v5h5'],
  full: ['M14 4h6v6', 'M20 4l-7 7', 'M10 20H4v-6', 'M4 20l7-7'],
  download: ['M12 4v11', 'M7 11l5 5l5-5', 'M5 20h14'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  lock: ['M6 11h12v9H6z', 'M8.5 11V8a3.5 3.5 0 0 1 7 0v3'],
  card: ['M5 3h14v18H5z', 'M9 8h6', 'M9 12h6', 'M9 16h3'],
  pulse: ['M3 12h4l2.5-7l4 14l2.5-7h5'],
  theme: ['M12 3a9 9 0 1 0 9 9a7 7 0 0 1-9-9z'],
  folder: ['M3 6h6l2 2.5h10V19H3z'],
  image: ['M4 5h16v14H4z', 'M4 16l5-5l4 4l3-3l4 4', 'M15.5 8.8v.4'],
  keyboard: ['M3 7h18v10H3z', 'M7 10.5h.1', 'M11 10.5h.1', 'M15 10.5h.1', 'M8 14h8'],
  play: ['M8 5l11 7l-11 7z'],
  pause: ['M8 5v14', 'M16 5v14'],
  back: ['M15 6l-6 6l6 6'],
  on: ['M9 6l6 6l-6 6'],
  copy: ['M9 9h11v11H9z', 'M5 15H4V4h11v1'],
} as const;

export type Icon = keyof typeof ICONS;

/** A drawing that says nothing to a screen reader: the button's name does. */
export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', 'icon');
  for (const d of ICONS[name]) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', d);
    svg.append(path);
  }
  return svg;
}

/** A button that shows a drawing; its name is read out and shown as a tooltip. */
export function iconButton(
  name: Icon,
  label: Key,
  onClick: () => void,
  attributes: Record<string, string | boolean> = {},
): HTMLButtonElement {
  const element = h(
    'button',
    { type: 'button', class: 'icon-button', tLabel: label, tTitle: label, ...attributes },
    icon(name),
  );
  element.addEventListener('click', onClick);
  return element;
}
