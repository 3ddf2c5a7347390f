// The colours of the canvas, read from the style sheet, so that the colours of all themes are defined in one place.

import { LANE_COLORS } from './lanes';

export interface Palette {
  ink: string;
  inkSoft: string;
  line: string;
  lineStrong: string;
  track: string;
  footage: string;
  footageWash: string;
  lost: string;
  lostWash: string;
  unwanted: string;
  archive: string;
  future: string;
  event: string;
  bookmark: string;
  protection: string;
  playhead: string;
  surface: string;
  now: string;
  font: string;
  /** By index of the lane's colour. */
  lanes: string[];
}

const NAMES: Record<Exclude<keyof Palette, 'font' | 'lanes'>, string> = {
  ink: '--vas-ink',
  inkSoft: '--vas-ink-soft',
  line: '--vas-line',
  lineStrong: '--vas-line-strong',
  track: '--timeline-track',
  footage: '--timeline-footage',
  footageWash: '--timeline-footage-wash',
  lost: '--timeline-lost',
  lostWash: '--timeline-lost-wash',
  unwanted: '--timeline-unwanted',
  archive: '--timeline-archive',
  future: '--timeline-future',
  event: '--timeline-event',
  bookmark: '--timeline-bookmark',
  protection: '--timeline-protection',
  playhead: '--timeline-playhead',
  surface: '--vas-surface',
  now: '--timeline-now',
};

export function readPalette(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const read = (name: string) => style.getPropertyValue(name).trim() || '#888888';
  const lanes = Array.from({ length: LANE_COLORS }, (_, index) => read(`--lane-${index}`));
  const palette = { font: style.fontFamily || 'sans-serif', lanes } as Palette;
  for (const [key, name] of Object.entries(NAMES)) {
    palette[key as keyof typeof NAMES] = read(name);
  }
  return palette;
}

/** Calls back when the colour scheme changes; returns the function that stops this. */
export function watchColorScheme(onChange: () => void): () => void {
  const observer = new MutationObserver(onChange);
  observer.observe(document.documentElement, {
    attributes: true,
    attributeFilter: ['data-mantine-color-scheme', 'style', 'class'],
  });
  return () => observer.disconnect();
}
