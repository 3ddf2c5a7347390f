// What is done with a marked range: export it, make a time-lapse of it, keep it, delete it; and what was made so far.
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
  const [isKeeping, setKeeping] = useState(false);
  const [note, setNote] = useState('');
  const start = useStartExport(deviceId);
  const [isLapsing, setLapsing] = useState(false);
  const range = marked && { start: new Date(marked.startMs).toISOString(), end: new Date(marked.endMs).toISOString() };
  const from = marked ? formatMoment(timeZone, marked.startMs) : '';
  const to = marked
    ? (dateOf(timeZone, marked.startMs) === dateOf(timeZone, marked.endMs) ? formatTime : formatMoment)(
        timeZone,
        marked.endMs,
      )
    : '';
  const { keep, askToDelete, isDeleting } = useFootageActions({ deviceId, name, edges: [from, to] }, () => {
    setKeeping(false);
    setNote('');
    onMarked(null);
  });

  return (
    <Panel title="Export, keep, delete">
      {!marked && (
        <div className={classes.hint}>
          <Text size="sm" c="dimmed">
            Mark a range first: with the brackets above the timeline, or with the keys I where it begins and O where it
            ends.
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
          <Radio.Group value={cut} onChange={(value) => setCut(value as ExportCut)} aria-label="Where the file is cut">
            <Group gap="lg">
              <Radio
                value="key_frames"
                size="sm"
                label="Cut at key frames"
                description="Quick and as recorded; begins a little earlier"
              />
              <Radio
                value="exact"
                size="sm"
                label="Cut exactly"
                description="To the frame; the edges are encoded anew"
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
              onClick={() => setLapsing(true)}
            >
              Time-lapse…
            </Button>
            <Button
              variant="default"
              leftSection={<IconLock size={16} stroke={1.7} />}
              onClick={() => setKeeping(!isKeeping)}
              aria-expanded={isKeeping}
            >
              Keep…
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
          {isKeeping && (
            <form
              className={classes.keep}
              onSubmit={(event) => {
                event.preventDefault();
                keep.mutate({ range, note: note.trim() });
              }}
            >
              <TextInput
                label="Why it is kept"
                description="Retention leaves the range alone until somebody removes the protection."
                placeholder="Accident at the ramp, case 2026-114"
                maxLength={200}
                value={note}
                onChange={(event) => setNote(event.currentTarget.value)}
                data-autofocus
              />
              <Button type="submit" size="sm" loading={keep.isPending}>
                Keep this range
              </Button>
            </form>
          )}
          {start.error && <Failure title="The export was not started" error={start.error} />}
        </Stack>
      )}
      <JobList kind="export" title="Exports" deviceId={deviceId} timeZone={timeZone} />
      <JobList kind="time_lapse" title="Time-lapses" deviceId={deviceId} timeZone={timeZone} />
      {isLapsing && marked && (
        <TimeLapseDialog deviceId={deviceId} timeZone={timeZone} range={marked} onClose={() => setLapsing(false)} />
      )}
    </Panel>
  );
}
