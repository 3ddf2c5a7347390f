// Words about an event.
import { formatLength } from './moments';

interface Named {
  kind: string;
  label: string | null;
}

const words = (text: string): string => {
  const plain = text.replace(/[._-]+/g, ' ').trim();
  return plain.charAt(0).toUpperCase() + plain.slice(1);
};

/** What it is: "Person", "Motion", "Door opened". */
export const eventName = ({ kind, label }: Named): string => words(label || kind);

/** "87 %"; a score that is no share as it is. */
export function formatScore(score: number | null): string | null {
  if (score === null) return null;
  return score >= 0 && score <= 1 ? `${Math.round(score * 100)} %` : String(Math.round(score * 100) / 100);
}

/** Null for an event without duration. */
export function formatEventLength(start: string, end: string | null): string | null {
  if (end === null) return 'goes on';
  const ms = Date.parse(end) - Date.parse(start);
  return ms > 0 ? formatLength(ms) : null;
}
