// Filters of the events page: cameras, what was seen, zone, time, score and picture. On a phone they unfold.
import { Button, Checkbox, Select, TextInput } from '@mantine/core';
import {
  IconAdjustmentsHorizontal,
  IconCalendar,
  IconCategory,
  IconMapPin,
  IconTag,
  IconTarget,
  IconVideo,
} from '@tabler/icons-react';
import { useState } from 'react';
import type { EventValue, EventValues } from '../api/events';
import { eventName } from '../formatting/eventTexts';
import type { DeviceChoice } from '../widgets/useDeviceChoices';
import { NO_FILTER, type EventQuery } from './eventFilter';
import { ManyFilter } from './ManyFilter';
import classes from './EventFilters.module.css';

interface EventFiltersProps {
  query: EventQuery;
  /** The number of filters that are set. */
  filters: number;
  devices: DeviceChoice[];
  values: EventValues | undefined;
  onChange: (patch: Partial<EventQuery>) => void;
}

const TIMES = [
  { value: 'today', label: 'Today' },
  { value: 'yesterday', label: 'Yesterday' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
  { value: 'custom', label: 'Custom…' },
];
const SCORES = [50, 60, 70, 80, 90].map((score) => ({ value: String(score), label: `At least ${score} %` }));
/** Somebody pressed “mark”; of the service itself, so not among the values of plugins. */
const MARK = { value: 'mark', label: 'Marked by people' };

/** A choice that is set stays selectable where no event has it now. */
function choicesOf(values: EventValue[] | undefined, chosen: string[], nameOf = (value: string) => value) {
  const known = (values ?? []).map(({ value }) => value);
  return [...new Set([...known, ...chosen])].map((value) => ({ value, label: nameOf(value) }));
}

export function EventFilters({ query, filters, devices, values, onChange }: EventFiltersProps) {
  const [isOpen, setOpen] = useState(false);
  const nameOf = (value: string) => eventName({ kind: value, label: null });
  const kinds = choicesOf(values?.kinds, query.kinds, nameOf).filter(({ value }) => value !== MARK.value);
  const zones = choicesOf(values?.zones, query.zones);
  const cameras = [
    ...devices,
    ...query.deviceIds
      .filter((id) => devices.every(({ value }) => value !== id))
      .map((value) => ({ value, label: 'Deleted camera' })),
  ];
  return (
    <div role="search" aria-label="Events">
      <div className={classes.unfold}>
        <Button
          variant="default"
          fullWidth
          leftSection={<IconAdjustmentsHorizontal size={16} stroke={1.7} />}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        >
          {filters > 0 ? `Filters (${filters})` : 'Filters'}
        </Button>
      </div>
      <div className={classes.filters} data-open={isOpen || undefined}>
        <ManyFilter
          name="camera"
          Icon={IconVideo}
          data={cameras}
          value={query.deviceIds}
          onChange={(deviceIds) => onChange({ deviceIds })}
        />
        <ManyFilter
          name="label"
          Icon={IconTag}
          data={choicesOf(values?.labels, query.labels, nameOf)}
          value={query.labels}
          onChange={(labels) => onChange({ labels })}
        />
        <ManyFilter
          name="kind"
          Icon={IconCategory}
          data={[...kinds, MARK]}
          value={query.kinds}
          onChange={(chosen) => onChange({ kinds: chosen })}
        />
        {zones.length > 0 && (
          <ManyFilter
            name="zone"
            Icon={IconMapPin}
            data={zones}
            value={query.zones}
            onChange={(chosen) => onChange({ zones: chosen })}
          />
        )}
        <Select
          aria-label="Filter by time"
          placeholder="Any time"
          leftSection={<IconCalendar size={16} stroke={1.7} />}
          data={TIMES}
          value={query.span || null}
          onChange={(span) => onChange({ span: (span ?? '') as EventQuery['span'], from: '', to: '' })}
          clearable
        />
        {query.span === 'custom' && (
          <div className={classes.range} role="group" aria-label="Time">
            <TextInput
              type="datetime-local"
              aria-label="From"
              max={query.to || undefined}
              value={query.from}
              onChange={(event) => onChange({ from: event.currentTarget.value.slice(0, 16) })}
            />
            <TextInput
              type="datetime-local"
              aria-label="To"
              min={query.from || undefined}
              value={query.to}
              onChange={(event) => onChange({ to: event.currentTarget.value.slice(0, 16) })}
            />
          </div>
        )}
        <Select
          aria-label="Filter by score"
          placeholder="Any score"
          leftSection={<IconTarget size={16} stroke={1.7} />}
          data={
            query.minScore > 0 && SCORES.every(({ value }) => Number(value) !== query.minScore)
              ? [{ value: String(query.minScore), label: `At least ${query.minScore} %` }, ...SCORES]
              : SCORES
          }
          value={query.minScore > 0 ? String(query.minScore) : null}
          onChange={(score) => onChange({ minScore: Number(score ?? 0) })}
          clearable
        />
        <div className={classes.ends}>
          <Checkbox
            label="With picture"
            checked={query.hasPicture}
            onChange={(event) => onChange({ hasPicture: event.currentTarget.checked })}
          />
          {filters > 0 && (
            <Button variant="subtle" color="gray" size="compact-sm" onClick={() => onChange(NO_FILTER)}>
              Clear
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}
