/** 5033164 → "5.0 MB". */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** 0.1234 → "12.3 %"; what is not quite nothing is not shown as nothing. */
export function percent(share: number): string {
  if (share > 0 && share < 0.001) return '< 0.1 %';
  return `${(100 * share).toFixed(1)} %`;
}

export function milliseconds(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}

const ACRONYMS: Readonly<Record<string, string>> = { ct: 'CT', mri: 'MRI' };

/** Whom a task is about, where that is the end of its name. */
const WHOM = /-(children|adults)$/;

/** "lung-ct" → "Lung CT", "pneumonia-children" → "Pneumonia (children)". */
export function taskTitle(name: string): string {
  const words = name.replace(WHOM, '-($1)').split('-');
  return sentence(words.map((word) => ACRONYMS[word] ?? word).join(' '));
}

/** With a capital at the beginning. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

const METRICS: Readonly<Record<string, string>> = { 'macro-f1': 'macro-F1', dice: 'Dice', map50: 'mAP50' };

export function metricName(metric: string): string {
  return METRICS[metric.toLowerCase()] ?? metric;
}

export function count(n: number, one: string, many: string): string {
  return `${n} ${n === 1 ? one : many}`;
}
