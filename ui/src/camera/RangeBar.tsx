// The actions on a marked range, below the timeline: export, time-lapse, protect, delete.
import { Button, Group, Menu } from '@mantine/core';
import {
  IconChevronDown,
  IconDownload,
  IconLock,
  IconPlayerTrackNext,
  IconTrash,
  IconZoomScan,
} from '@tabler/icons-react';
import { notifications } from '@mantine/notifications';
import { useRef, useState } from 'react';
import { later } from '../frame/later';
import type { ExportCut } from '../api/recordings';
import { useStartExport } from '../jobs/useStartJob';
import { useFootageActions } from './useFootageActions';
import type { TimeRange } from '../timeline/model';
import { dateOf } from '../formatting/timeZone';
import { formatLength } from '../formatting/moments';
import { formatMoment, formatTime } from '../formatting/zonedTimes';
import { Failure } from '../widgets/Failure';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import { ProtectForm } from './ProtectForm';
import classes from './RangePanel.module.css';

const TimeLapseDialog = later(() => import('../schedules/TimeLapseDialog').then((module) => module.TimeLapseDialog));

interface RangeBarProps {
  deviceId: string;
  name: string;
  timeZone: string;
  marked: TimeRange;
  onMarked: (marked: TimeRange | null) => void;
  onSeek: (atMs: number) => void;
  /** Shows the range so large on the timeline that both ends can be moved. */
  onZoom: () => void;
}

export function RangeBar({ deviceId, name, timeZone, marked, onMarked, onSeek, onZoom }: RangeBarProps) {
  const [isProtecting, setProtecting] = useState(false);
  const [isTimeLapseOpen, setTimeLapseOpen] = useState(false);
  const start = useStartExport(deviceId);
  const portal = useFullscreenTarget();
  const protectButton = useRef<HTMLButtonElement>(null);
  const range = { start: new Date(marked.startMs).toISOString(), end: new Date(marked.endMs).toISOString() };
  const isOneDay = dateOf(timeZone, marked.startMs) === dateOf(timeZone, marked.endMs);
  const from = formatMoment(timeZone, marked.startMs);
  const to = (isOneDay ? formatTime : formatMoment)(timeZone, marked.endMs);
  const { protect, askToDelete, isDeleting } = useFootageActions({ deviceId, name, edges: [from, to] }, () => {
    setProtecting(false);
    onMarked(null);
  });
  const exportAs = (cut: ExportCut) =>
    start.mutate(
      { range, cut },
      { onSuccess: () => notifications.show({ message: 'The export has begun. It is listed under Exports, below.' }) },
    );
  const endProtecting = () => {
    setProtecting(false);
    protectButton.current?.focus();
  };

  return (
    <section className={classes.bar} aria-label="Marked range">
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
      <Group gap={6}>
        <Button.Group>
          <Button
            size="xs"
            leftSection={<IconDownload size={15} />}
            loading={start.isPending}
            onClick={() => exportAs('key_frames')}
          >
            Export as MP4
          </Button>
          <Menu position="bottom-end" width={260} portalProps={portal}>
            <Menu.Target>
              <Button size="xs" px={6} aria-label="Ways to cut the export" disabled={start.isPending}>
                <IconChevronDown size={14} />
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              <Menu.Item onClick={() => exportAs('key_frames')}>
                Cut at key frames
                <span className={classes.note}>Fast, no re-encoding; starts slightly earlier</span>
              </Menu.Item>
              <Menu.Item onClick={() => exportAs('exact')}>
                Cut exactly
                <span className={classes.note}>Frame accurate; the edges are re-encoded</span>
              </Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </Button.Group>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlayerTrackNext size={15} stroke={1.7} />}
          onClick={() => setTimeLapseOpen(true)}
        >
          Time-lapse…
        </Button>
        <Button
          ref={protectButton}
          size="xs"
          variant="default"
          leftSection={<IconLock size={15} stroke={1.7} />}
          onClick={() => setProtecting(!isProtecting)}
          aria-expanded={isProtecting}
        >
          Protect…
        </Button>
        <Button
          size="xs"
          variant="default"
          c="var(--vas-bad)"
          leftSection={<IconTrash size={15} stroke={1.7} />}
          loading={askToDelete.isPending || isDeleting}
          onClick={() => askToDelete.mutate(range)}
        >
          Delete…
        </Button>
        <Button size="xs" variant="subtle" leftSection={<IconZoomScan size={15} stroke={1.7} />} onClick={onZoom}>
          Zoom to it
        </Button>
      </Group>
      {isProtecting && (
        <ProtectForm
          isSending={protect.isPending}
          onProtect={(note) => protect.mutate({ range, note })}
          onCancel={endProtecting}
        />
      )}
      {start.error && <Failure title="The export was not started" error={start.error} />}
      {isTimeLapseOpen && (
        <TimeLapseDialog
          deviceId={deviceId}
          timeZone={timeZone}
          range={marked}
          onClose={() => setTimeLapseOpen(false)}
        />
      )}
    </section>
  );
}
