// Editor for a weekly plan: times are drawn and dragged on seven strips, moved by keys, or typed.
import { ActionIcon, Button, Group, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import type { WeeklyPlan } from '../api/recordingTypes';
import { formatHourOf } from '../formatting/clock';
import { PlanDay } from './PlanDay';
import { PlanSpanFields } from './PlanSpanFields';
import { DAY_MINUTES, PLAN_PRESETS, pieces, planOf, spansOf, tidy, WEEKDAY_NAMES, type PlanSpan } from './planSpans';
import classes from './WeeklyPlanEditor.module.css';

interface WeeklyPlanEditorProps {
  value: WeeklyPlan;
  onChange: (plan: WeeklyPlan) => void;
  error?: string | undefined;
}

const NEW_SPAN = { start: 8 * 60, end: 18 * 60 };
const isSame = (a: PlanSpan, b: PlanSpan) => a.day === b.day && a.start === b.start && a.end === b.end;

export function WeeklyPlanEditor({ value, onChange, error }: WeeklyPlanEditorProps) {
  const [draft, setDraft] = useState<PlanSpan[] | null>(null);
  const [selected, setSelected] = useState<number | null>(null);
  const spans = draft ?? spansOf(value);

  /** Keeps the selection on the edited span, or on the span that it was merged into. */
  const commit = (next: PlanSpan[], edited: PlanSpan | null) => {
    const tidied = tidy(next);
    setDraft(null);
    onChange(planOf(tidied));
    const found = edited
      ? tidied.findIndex(
          (span) =>
            isSame(span, edited) || (span.day === edited.day && span.start <= edited.start && span.end >= edited.end),
        )
      : -1;
    setSelected(found >= 0 ? found : null);
  };
  const replace = (index: number, span: PlanSpan) => commit(spans.with(index, span), span);
  const remove = (index: number) => commit(spans.toSpliced(index, 1), null);
  const add = (day: number) => {
    const own = pieces(spans, day);
    const free =
      own.length === 0
        ? NEW_SPAN
        : { start: Math.min(Math.max(...own.map(({ end }) => end)) + 60, DAY_MINUTES - 60), end: DAY_MINUTES };
    const span = { day, ...free };
    commit([...spans, span], span);
  };
  const chosen = selected === null ? undefined : spans[selected];

  return (
    <div className={classes.editor} role="group" aria-label="Weekly plan">
      <Group gap="xs" mb="xs">
        <Text size="sm" c="dimmed">
          Presets
        </Text>
        {PLAN_PRESETS.map(({ label, spans: preset }) => (
          <Button key={label} size="compact-xs" variant="default" onClick={() => commit(preset, null)}>
            {label}
          </Button>
        ))}
        {spans.length > 0 && (
          <Button size="compact-xs" variant="subtle" color="gray" onClick={() => commit([], null)}>
            Clear
          </Button>
        )}
      </Group>
      <div className={classes.scale} aria-hidden>
        {[0, 6, 12, 18, 24].map((hour) => (
          <span key={hour}>{formatHourOf(hour)}</span>
        ))}
      </div>
      {WEEKDAY_NAMES.map((name, day) => (
        <div key={name} className={classes.row}>
          <span className={classes.day}>{name.slice(0, 3)}</span>
          <PlanDay
            day={day}
            spans={spans}
            selected={selected}
            onSelect={setSelected}
            onDraft={setDraft}
            onCommit={commit}
            onRemove={remove}
          />
          <ActionIcon variant="subtle" color="gray" aria-label={`Add a time on ${name}`} onClick={() => add(day)}>
            <IconPlus size={16} />
          </ActionIcon>
        </div>
      ))}
      {chosen && selected !== null ? (
        <PlanSpanFields
          key={`${selected} ${chosen.day} ${chosen.start} ${chosen.end}`}
          span={chosen}
          onChange={(span) => replace(selected, span)}
          onCopy={(days) =>
            commit(
              [
                ...spans.filter(({ day }) => !days.includes(day) || day === chosen.day),
                ...days.filter((day) => day !== chosen.day).map((day) => ({ ...chosen, day })),
              ],
              chosen,
            )
          }
          onRemove={() => remove(selected)}
        />
      ) : (
        <Text size="xs" c="dimmed" mt="xs">
          {spans.length === 0 ? 'Without planned times nothing is recorded. ' : ''}Drag across a day to add a time. Drag
          a time to move it, or its ends to resize it. Click a time to type exact values.
        </Text>
      )}
      {error && (
        <Text size="sm" c="var(--vas-bad)" mt="xs" role="alert">
          {error}
        </Text>
      )}
    </div>
  );
}
