import { h } from '../dom.js';
import { figures, percent } from '../format.js';
import { iconButton } from '../icons.js';
import { t } from '../language/index.js';
import type { Viewer } from './viewer.js';
import { type NamedWindow, PRESETS, type Preset } from './window-level.js';

/** More windows of a file than this are left to the drag: there is no room for them. */
const MAX_WINDOWS = 4;

/** The tools over the image. */
export class Toolbar {
  readonly element: HTMLElement;
  readonly #viewer: Viewer;
  readonly #window: HTMLButtonElement;
  readonly #pan: HTMLButtonElement;
  /** There is something to paint with only while pixels are taught. */
  readonly #brush: HTMLButtonElement;
  readonly #invert: HTMLButtonElement;
  readonly #overlays: HTMLButtonElement;
  readonly #zoom = h('output', { class: 'zoom', tLabel: 'viewer.zoom' });
  readonly #presets = h('select', { class: 'presets', tLabel: 'viewer.presets' });

  readonly #windows = h('div', { class: 'group windows', role: 'group', tLabel: 'viewer.fileWindows' });
  /** Those that the buttons stand for. */
  #offered: readonly NamedWindow[] = [];

  constructor(viewer: Viewer, frame: HTMLElement, more: HTMLElement) {
    this.#viewer = viewer;
    this.#window = iconButton('window', 'viewer.window', () => viewer.setTool('window'));
    this.#pan = iconButton('hand', 'viewer.pan', () => viewer.setTool('pan'));
    this.#brush = iconButton('brush', 'viewer.brush', () => viewer.setTool('brush'), { id: 'brush-tool' });
    this.#invert = iconButton('invert', 'viewer.invert', () => viewer.invert());
    this.#overlays = iconButton('layers', 'viewer.overlays', () => viewer.toggleOverlays());
    this.#presets.addEventListener('change', () => {
      if (this.#presets.value !== '') viewer.preset(this.#presets.value as Preset);
      this.#presets.value = '';
    });
    const full = iconButton('full', 'viewer.full', () => {
      void (document.fullscreenElement === null ? frame.requestFullscreen() : document.exitFullscreen());
    });
    full.hidden = !document.fullscreenEnabled;
    this.element = h(
      'div',
      { class: 'toolbar', role: 'toolbar', tLabel: 'viewer.toolbar' },
      h('div', { class: 'group' }, this.#window, this.#pan, this.#brush),
      h('div', { class: 'group' }, this.#presets, this.#invert),
      this.#windows,
      h(
        'div',
        { class: 'group' },
        iconButton('minus', 'viewer.zoomOut', () => viewer.zoom(0.8)),
        this.#zoom,
        iconButton('plus', 'viewer.zoomIn', () => viewer.zoom(1.25)),
        iconButton('fit', 'viewer.fit', () => viewer.fit()),
        iconButton('reset', 'viewer.reset', () => viewer.reset()),
      ),
      h('div', { class: 'group' }, this.#overlays, full, more),
    );
    this.refresh();
  }

  /** Makes the texts anew, in the current language. */
  refresh(): void {
    this.#offered = [];
    this.#presets.replaceChildren(
      h('option', { value: '' }, t('viewer.presets')),
      ...PRESETS.map((preset) => h('option', { value: preset }, t(`preset.${preset}`))),
    );
    this.render();
  }

  render(): void {
    const { tool, overlays, picture, viewport, brush } = this.#viewer;
    this.#window.setAttribute('aria-pressed', String(tool === 'window'));
    this.#pan.setAttribute('aria-pressed', String(tool === 'pan'));
    this.#brush.setAttribute('aria-pressed', String(tool === 'brush'));
    this.#brush.hidden = brush === null;
    this.#overlays.setAttribute('aria-pressed', String(overlays));
    this.#invert.setAttribute('aria-pressed', String(picture?.inverted ?? false));
    this.#offer(picture?.windows ?? []);
    this.#zoom.textContent = percent(viewport.scale * (window.devicePixelRatio || 1), 0);
  }

  /** The file's own windows as buttons. */
  #offer(windows: readonly NamedWindow[]): void {
    const shown = windows.slice(0, MAX_WINDOWS);
    const key = (list: readonly NamedWindow[]): string => JSON.stringify(list);
    if (key(shown) !== key(this.#offered)) {
      this.#offered = shown;
      this.#windows.replaceChildren(
        ...shown.map((window) => {
          const { level, width, name } = window;
          const values = t('viewer.values', { width: figures(width), level: figures(level) });
          const button = h('button', { type: 'button', class: 'quiet window', title: values }, name ?? values);
          button.addEventListener('click', () => this.#viewer.setWindow(window));
          return button;
        }),
      );
    }
    this.#windows.hidden = shown.length === 0;
    const now = this.#viewer.picture?.window;
    for (const [i, button] of [...this.#windows.children].entries()) {
      const { level, width } = shown[i] ?? {};
      button.setAttribute('aria-pressed', String(now?.level === level && now?.width === width));
    }
  }
}
