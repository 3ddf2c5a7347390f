// Turns a server message into a sentence: messages are in lower case, without a full stop, with moments in RFC 3339.
import { shownZone } from './shownZone';
import { formatMoment } from './zonedTimes';

const MOMENT = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)(?=[^\w]|$)/g;

export function sentence(text: string, timeZone = shownZone()): string {
  const trimmed = text.trim().replace(MOMENT, (at) => formatMoment(timeZone, Date.parse(at)));
  if (!trimmed) return '';
  const capital = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(capital) ? capital : `${capital}.`;
}
