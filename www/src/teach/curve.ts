import type { Estimate } from '@medley/web';
import { percent } from '../format.js';
import { t } from '../language/index.js';

/** How good the head was held to be with so many examples. */
export interface CurvePoint {
  examples: number;
  estimate: Estimate;
}

/** One point for each number of examples: the newest. */
export function addPoint(curve: readonly CurvePoint[], point: CurvePoint): CurvePoint[] {
  const others = curve.filter(({ examples }) => examples !== point.examples);
  return [...others, point].sort((a, b) => a.examples - b.examples);
}

const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [300, 96];
const [LEFT, BOTTOM, TOP] = [34, 80, 8];

/** How the estimate went up (or did not) with the examples, with its 95 % interval. */
export function learningCurve(curve: readonly CurvePoint[], chance: number): SVGSVGElement {
  const last = curve[curve.length - 1];
  const most = Math.max(2, last?.examples ?? 2);
  const x = (examples: number): number => LEFT + ((WIDTH - LEFT - 6) * examples) / most;
  const y = (share: number): number => BOTTOM - (BOTTOM - TOP) * share;
  const svg = make('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'curve', role: 'img' });
  svg.setAttribute(
    'aria-label',
    last === undefined ? '' : t('teach.curveLabel', { n: last.examples, accuracy: percent(last.estimate.accuracy, 0) }),
  );
  for (const share of [0, 0.5, 1]) {
    svg.append(make('line', { x1: LEFT, x2: WIDTH - 6, y1: y(share), y2: y(share), class: 'grid' }));
    svg.append(label(LEFT - 5, y(share) + 3.5, percent(share, 0), 'end'));
  }
  svg.append(make('line', { x1: LEFT, x2: WIDTH - 6, y1: y(chance), y2: y(chance), class: 'chance' }));
  svg.append(label(LEFT, HEIGHT - 3, '0', 'middle'), label(WIDTH - 6, HEIGHT - 3, String(most), 'end'));
  const upper = curve.map(({ examples, estimate }) => `${x(examples)},${y(estimate.high)}`);
  const lower = curve.map(({ examples, estimate }) => `${x(examples)},${y(estimate.low)}`).reverse();
  svg.append(make('polygon', { points: [...upper, ...lower].join(' '), class: 'interval' }));
  svg.append(make('polyline', { points: curve.map((p) => `${x(p.examples)},${y(p.estimate.accuracy)}`).join(' '), class: 'line' }));
  for (const { examples, estimate } of curve) {
    svg.append(make('line', { x1: x(examples), x2: x(examples), y1: y(estimate.low), y2: y(estimate.high), class: 'whisker' }));
    svg.append(make('circle', { cx: x(examples), cy: y(estimate.accuracy), r: 3, class: 'point' }));
  }
  return svg;
}

function label(x: number, y: number, text: string, anchor: string): SVGTextElement {
  const element = make('text', { x, y, 'text-anchor': anchor });
  element.textContent = text;
  return element;
}

function make<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Record<string, string | number>): SVGElementTagNameMap[K] {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
