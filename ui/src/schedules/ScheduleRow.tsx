// One schedule: its timing, its next and its last snapshot, and the reason if the last one failed.
import { ActionIcon, Group, Switch, Text, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconPencil, IconTrash } from '@tabler/icons-react';
import type { Schedule } from '../api/schedules';
import { ownTimeZone } from '../formatting/timeZone';
import { StatisticsColumns } from '../widgets/StatisticsColumns';
import { NOTHING } from '../formatting/statistics';
import { formatSpan } from '../formatting/moments';
import { formatScheduleRetention, scheduleTitle, formatSchedule } from './scheduleValues';
import { sentence } from '../formatting/sentence';
import { ShortMoment } from '../widgets/ShortMoment';
import { TagList } from '../widgets/TagList';
import classes from './Schedules.module.css';

interface ScheduleRowProps {
  schedule: Schedule;
  nowMs: number;
  isBusy: boolean;
  onToggle: () => void;
  onEdit: () => void;
  onDelete: () => void;
}

/** Within the next hour the time remaining, otherwise the moment. */
function Next({ schedule, nowMs }: { schedule: Schedule; nowMs: number }) {
  if (!schedule.enabled) return <>Disabled</>;
  if (schedule.next_at === null) return <>{NOTHING}</>;
  const inMs = Date.parse(schedule.next_at) - nowMs;
  if (inMs < 1_000) return <>Now</>;
  return inMs < 3_600_000 ? <>In {formatSpan(inMs)}</> : <ShortMoment at={schedule.next_at} />;
}

export function ScheduleRow({ schedule, nowMs, isBusy, onToggle, onEdit, onDelete }: ScheduleRowProps) {
  const { enabled, reason, last_taken_at, tags, time_zone } = schedule;
  const name = scheduleTitle(schedule);
  const isElsewhere = (schedule.times.length > 0 || schedule.weekdays.length > 0) && time_zone !== ownTimeZone();
  return (
    <li className={classes.row} data-testid="schedule-row" data-off={!enabled || undefined}>
      <Tooltip label={enabled ? 'Disable' : 'Enable'}>
        {/* The label is the target of a finger. */}
        <label className={classes.enable}>
          <Switch checked={enabled} disabled={isBusy} onChange={onToggle} aria-label={`Enable ${name}`} />
        </label>
      </Tooltip>
      <div className={classes.about}>
        <div className={classes.name} title={name}>
          {name}
        </div>
        <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {formatSchedule(schedule)}
          {isElsewhere && `, time zone ${time_zone}`}
        </Text>
        {tags.length > 0 && (
          <div className={classes.tags}>
            <TagList tags={tags} />
          </div>
        )}
        {reason && enabled && (
          <div className={classes.reason}>
            <IconAlertTriangle size={16} stroke={1.8} aria-hidden />
            <span>
              {sentence(reason.message)} {reason.remedy && sentence(reason.remedy)}
            </span>
          </div>
        )}
      </div>
      <StatisticsColumns
        className={classes.statistics}
        rows={[
          ['Next', <Next key="next" schedule={schedule} nowMs={nowMs} />],
          ['Last taken', last_taken_at ? <ShortMoment key="last" at={last_taken_at} /> : NOTHING],
          ['Retention', formatScheduleRetention(schedule)],
        ]}
      />
      <Group gap={2} wrap="nowrap" className={classes.actions}>
        <Tooltip label="Edit">
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Edit ${name}`} onClick={onEdit}>
            <IconPencil size={18} stroke={1.7} />
          </ActionIcon>
        </Tooltip>
        <Tooltip label="Delete">
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Delete ${name}`} onClick={onDelete}>
            <IconTrash size={18} stroke={1.7} />
          </ActionIcon>
        </Tooltip>
      </Group>
    </li>
  );
}
