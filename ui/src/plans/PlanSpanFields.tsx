// Fields for the exact times of one span of the weekly plan, and buttons to copy it to other days.
import { Button, Group, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { formatClockOf, parseClock } from '../formatting/clock';
import { DAY_MINUTES, onClock, retime, WEEKDAY_NAMES, type PlanSpan } from './planSpans';
import classes from './WeeklyPlanEditor.module.css';

interface PlanSpanFieldsProps {
  span: PlanSpan;
  onChange: (span: PlanSpan) => void;
  onCopy: (days: number[]) => void;
  onRemove: () => void;
}

const INVALID_TIME = `Enter a time such as ${formatClockOf(8 * 60 + 30)}`;

export function PlanSpanFields({ span, onChange, onCopy, onRemove }: PlanSpanFieldsProps) {
  const [from, setFrom] = useState(formatClockOf(span.start));
  const [to, setTo] = useState(formatClockOf(onClock(span.end)));
  const [start, end] = [parseClock(from), parseClock(to)];
  const apply = () => {
    if (start === null || end === null) return;
    const next = retime(span, start, end);
    if (next.start !== span.start || next.end !== span.end) onChange(next);
  };
  const isOvernight = start !== null && end !== null && end <= start && end > 0;
  const field = (label: string, value: string, parsed: number | null, onText: (text: string) => void) => (
    <TextInput
      size="xs"
      w={92}
      label={label}
      autoComplete="off"
      value={value}
      error={parsed === null ? INVALID_TIME : undefined}
      onChange={(event) => onText(event.currentTarget.value)}
      onBlur={apply}
      onKeyDown={(event) => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        apply();
      }}
    />
  );
  return (
    <div className={classes.fields} role="group" aria-label={`Time on ${WEEKDAY_NAMES[span.day]}`}>
      <strong className={classes.fieldsDay}>{WEEKDAY_NAMES[span.day]}</strong>
      {field('From', from, start, setFrom)}
      {field('To', to, end, setTo)}
      <span className={classes.next}>
        {isOvernight || span.end > DAY_MINUTES ? `on ${WEEKDAY_NAMES[(span.day + 1) % 7]}` : ''}
      </span>
      <Group gap={6} ml="auto">
        <Button size="compact-xs" variant="default" onClick={() => onCopy([0, 1, 2, 3, 4])}>
          Copy to Mon–Fri
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => onCopy([0, 1, 2, 3, 4, 5, 6])}>
          Copy to every day
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          c="var(--vas-bad)"
          leftSection={<IconTrash size={13} />}
          onClick={onRemove}
        >
          Remove
        </Button>
      </Group>
    </div>
  );
}
