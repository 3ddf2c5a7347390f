// The actions on a marked range: export, time-lapse, protect, delete; and the exports and time-lapses so far.
import { Button, Group, Radio, Stack, Text, TextInput } from '@mantine/core';
import { IconDownload, IconLock, IconPlayerTrackNext, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import type { ExportCut } from '../api/recordings';
import { useStartExport } from '../jobs/useStartJob';
import { useFootageActions } from './useFootageActions';
import type { TimeRange } from '../timeline/model';
import { dateOf } from '../formatting/timeZone';
import { formatLength } from '../formatting/moments';
import { formatMoment, formatTime } from '../formatting/zonedTimes';
import { Failure } from '../widgets/Failure';
import { JobList } from '../jobs/JobList';
import { Panel } from '../widgets/Panel';
import { TimeLapseDialog } from '../schedules/TimeLapseDialog';
import classes from './RangePanel.module.css';

interface RangePanelProps {
  deviceId: string;
  name: string;
  timeZone: string;
  marked: TimeRange | null;
  onMarked: (marked: TimeRange | null) => void;
  onMark: (edge: 'start' | 'end' | null) => void;
  onSeek: (atMs: number) => void;
}

export function RangePanel({ deviceId, name, timeZone, marked, onMarked, onMark, onSeek }: RangePanelProps) {
  const [cut, setCut] = useState<ExportCut>('key_frames');
  const [isProtecting, setProtecting] = useState(false);
  const [note, setNote] = useState('');
  const start = useStartExport(deviceId);
  const [isTimeLapseOpen, setTimeLapseOpen] = useState(false);
  const range = marked && { start: new Date(marked.startMs).toISOString(), end: new Date(marked.endMs).toISOString() };
  const from = marked ? formatMoment(timeZone, marked.startMs) : '';
  const to = marked
    ? (dateOf(timeZone, marked.startMs) === dateOf(timeZone, marked.endMs) ? formatTime : formatMoment)(
        timeZone,
        marked.endMs,
      )
    : '';
  const { protect, askToDelete, isDeleting } = useFootageActions({ deviceId, name, edges: [from, to] }, () => {
    setProtecting(false);
    setNote('');
    onMarked(null);
  });

  return (
    <Panel title="Export, protect, delete">
      {!marked && (
        <div className={classes.hint}>
          <Text size="sm" c="dimmed">
            Mark a range first: with the brackets above the timeline
            <span className="keyboard-only">, or with the key I at its start and the key O at its end</span>.
          </Text>
          <Button variant="default" size="xs" onClick={() => onMark('end')}>
            Mark the last minute
          </Button>
        </div>
      )}
      {marked && range && (
        <Stack gap="sm">
          <div className={classes.range}>
            <span>
              <button type="button" className={classes.moment} onClick={() => onSeek(marked.startMs)}>
                {from}
              </button>
              {' – '}
              <button type="button" className={classes.moment} onClick={() => onSeek(marked.endMs - 2_000)}>
                {to}
              </button>
            </span>
            <span className={classes.length}>{formatLength(marked.endMs - marked.startMs)}</span>
          </div>
          <Radio.Group value={cut} onChange={(value) => setCut(value as ExportCut)} aria-label="Cut">
            <Group gap="lg">
              <Radio
                value="key_frames"
                size="sm"
                label="Cut at key frames"
                description="Fast, no re-encoding; starts slightly earlier"
              />
              <Radio
                value="exact"
                size="sm"
                label="Cut exactly"
                description="Frame accurate; the edges are re-encoded"
              />
            </Group>
          </Radio.Group>
          <Group gap="xs">
            <Button
              leftSection={<IconDownload size={16} />}
              loading={start.isPending}
              onClick={() => start.mutate({ range, cut })}
            >
              Export as MP4
            </Button>
            <Button
              variant="default"
              leftSection={<IconPlayerTrackNext size={16} stroke={1.7} />}
              onClick={() => setTimeLapseOpen(true)}
            >
              Time-lapse…
            </Button>
            <Button
              variant="default"
              leftSection={<IconLock size={16} stroke={1.7} />}
              onClick={() => setProtecting(!isProtecting)}
              aria-expanded={isProtecting}
            >
              Protect…
            </Button>
            <Button
              variant="default"
              c="var(--vas-bad)"
              leftSection={<IconTrash size={16} stroke={1.7} />}
              loading={askToDelete.isPending || isDeleting}
              onClick={() => askToDelete.mutate(range)}
            >
              Delete…
            </Button>
          </Group>
          {isProtecting && (
            <form
              className={classes.keep}
              onSubmit={(event) => {
                event.preventDefault();
                protect.mutate({ range, note: note.trim() });
              }}
            >
              <TextInput
                label="Reason"
                description="Retention does not delete the range until the protection is removed."
                placeholder="Accident at the ramp, case 2026-114"
                maxLength={200}
                value={note}
                onChange={(event) => setNote(event.currentTarget.value)}
                data-autofocus
              />
              <Button type="submit" size="sm" loading={protect.isPending}>
                Protect this range
              </Button>
            </form>
          )}
          {start.error && <Failure title="The export was not started" error={start.error} />}
        </Stack>
      )}
      <JobList kind="export" title="Exports" deviceId={deviceId} timeZone={timeZone} />
      <JobList kind="time_lapse" title="Time-lapses" deviceId={deviceId} timeZone={timeZone} />
      {isTimeLapseOpen && marked && (
        <TimeLapseDialog
          deviceId={deviceId}
          timeZone={timeZone}
          range={marked}
          onClose={() => setTimeLapseOpen(false)}
        />
      )}
    </Panel>
  );
}
