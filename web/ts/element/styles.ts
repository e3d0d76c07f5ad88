const CSS = `
:host {
  display: block;
  box-sizing: border-box;
  container-type: inline-size;
  min-width: 0;
  padding: 12px;
  border: 1px solid var(--medley-border, color-mix(in srgb, currentColor 25%, transparent));
  border-radius: var(--medley-radius, 8px);
  background: var(--medley-background, Canvas);
  color: var(--medley-text, CanvasText);
  font: var(--medley-font, 14px/1.5 system-ui, sans-serif);
}
:host([hidden]) { display: none; }
*, ::before, ::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.hidden {
  position: absolute; width: 1px; height: 1px; margin: -1px; padding: 0; overflow: hidden; clip-path: inset(50%);
}
.stage { position: relative; }
.drop {
  display: grid; place-content: center; justify-items: center; gap: 8px; min-height: 180px; padding: 16px;
  border: 2px dashed var(--medley-border, color-mix(in srgb, currentColor 35%, transparent));
  border-radius: var(--medley-radius, 8px); text-align: center;
}
.stage.over .drop, .stage.over canvas { outline: 3px solid var(--medley-accent, #0b6bcb); }
canvas { display: block; max-width: 100%; max-height: 70vh; margin: 0 auto; border-radius: 4px; }
button {
  min-height: 36px; padding: 4px 14px; border: 1px solid currentColor; border-radius: 6px;
  background: transparent; color: inherit; font: inherit; cursor: pointer;
}
button.primary {
  border-color: transparent; background: var(--medley-accent, #0b6bcb); color: var(--medley-on-accent, #fff);
}
button:focus-visible, input:focus-visible { outline: 3px solid var(--medley-accent, #0b6bcb); outline-offset: 2px; }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 12px; margin-top: 8px; min-height: 36px; }
.status { flex: 1 1 12em; min-width: 0; margin: 0; overflow-wrap: anywhere; }
progress { width: 100%; accent-color: var(--medley-accent, #0b6bcb); }
.error { margin: 8px 0 0; padding: 8px 12px; border-inline-start: 4px solid #c0392b; overflow-wrap: anywhere; }
.error p { margin: 0; }
.answers { display: grid; gap: 12px; margin: 12px 0 0; padding: 0; list-style: none; }
@container (min-width: 640px) { .answers { grid-template-columns: 1fr 1fr; } }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 4px 12px; font-weight: 600; }
.head label { font-weight: 400; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
.name { flex: 1 1 8em; min-width: 0; overflow-wrap: anywhere; }
.value { font-variant-numeric: tabular-nums; }
.swatch { width: 12px; height: 12px; border-radius: 3px; }
meter { flex: 1 0 100%; width: 100%; height: 8px; }
.notice { margin: 12px 0 0; font-size: 0.9em; font-weight: 600; }
`;

let sheet: CSSStyleSheet | null = null;

/** One sheet for all elements; made in code, which policies without inline styles allow. */
export function styles(): CSSStyleSheet {
  if (sheet === null) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
  }
  return sheet;
}
