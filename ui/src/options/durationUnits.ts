// The units in which a duration is shown: the largest that divides it.

export const UNITS = [
  { value: '1', label: 'seconds' },
  { value: '60', label: 'minutes' },
  { value: '3600', label: 'hours' },
  { value: '86400', label: 'days' },
];

/** The length of the unit in seconds. */
export function unitOf(seconds: number): number {
  if (seconds === 0) return 1;
  return UNITS.map((unit) => Number(unit.value)).findLast((length) => seconds % length === 0) ?? 1;
}
