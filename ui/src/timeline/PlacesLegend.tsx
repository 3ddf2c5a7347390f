// The legend of the band that shows where footage lies; nothing without an archive.
import type { TimelinePlace, Where } from './model';
import classes from './PlacesLegend.module.css';

const KEYS: [Where, string][] = [
  ['archive', 'in the archive'],
  ['both', 'also in the archive'],
  ['waiting', 'waiting for the archive'],
];

export function PlacesLegend({ places }: { places: TimelinePlace[] }) {
  const shown = KEYS.filter(([where]) => places.some((place) => place.where === where));
  if (shown.length === 0) return null;
  return (
    <ul className={classes.legend} aria-label="Where the footage lies">
      {shown.map(([where, text]) => (
        <li key={where}>
          <i className={classes[where]} aria-hidden /> {text}
        </li>
      ))}
    </ul>
  );
}
