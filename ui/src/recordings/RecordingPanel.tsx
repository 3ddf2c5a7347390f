// A camera's recording on its page: state with reason, manual start and stop, statistics, and links to days and settings.
import { Button, Group, Menu, Skeleton, Text } from '@mantine/core';
import {
  IconCalendar,
  IconChevronDown,
  IconPlayerRecord,
  IconPlayerStop,
  IconRotate,
  IconSettings,
  IconSquareRotated,
} from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { laterDialog } from '../frame/later';
import type { Stream } from '../api/types';
import { useRecording } from './useRecording';
import { useRecordingControl } from './useRecordingControl';
import { formatBytes } from '../formatting/amounts';
import { Failure } from '../widgets/Failure';
import { StatisticsList } from '../widgets/StatisticsList';
import { NOTHING } from '../formatting/statistics';
import { Panel } from '../widgets/Panel';
import { recordedDaysAddress } from '../addresses/recordingAddresses';
import { RecordingBadge } from './RecordingBadge';
import { MODE_LABELS, recordingSentence } from './recordingStyles';
import { formatRetention } from './retentionText';
import { useSharedLimit } from './useStorageStatistics';
import { useShownRecording } from './useShownRecording';
import { Timestamp } from '../widgets/Timestamp';

const RecordingEventDialog = laterDialog(() =>
  import('./RecordingEventDialog').then((module) => module.RecordingEventDialog),
);

const LENGTHS = [
  { label: 'For 15 minutes', minutes: 15 },
  { label: 'For 1 hour', minutes: 60 },
  { label: 'For 8 hours', minutes: 480 },
];

export function RecordingPanel({ deviceId, stream }: { deviceId: string; stream: Stream | undefined }) {
  const { data, error, refetch } = useRecording(deviceId);
  const control = useRecordingControl(deviceId, data?.recording);
  const [isMarking, setMarking] = useState(false);
  const recording = useShownRecording(data?.recording, stream);
  const sharedBytes = useSharedLimit(recording?.retention);
  if (!recording) {
    return (
      <Panel title="Recording">
        {error ? (
          <Failure title="The recording could not be loaded" error={error} onRetry={() => void refetch()} />
        ) : (
          <Skeleton height={226} />
        )}
      </Panel>
    );
  }
  const kind = recording.is_wanted ? 'stop' : 'start';
  const why = recordingSentence(recording);
  return (
    <Panel title="Recording" end={<RecordingBadge recording={recording} />}>
      {why && (
        <Text size="sm" mb="sm" style={{ overflowWrap: 'anywhere' }}>
          {why}
        </Text>
      )}
      <Group gap={6} mb="sm">
        <Menu position="bottom-start">
          <Menu.Target>
            <Button
              size="xs"
              px={10}
              variant="default"
              loading={control.isPending}
              leftSection={
                kind === 'stop' ? (
                  <IconPlayerStop size={15} />
                ) : (
                  <IconPlayerRecord size={15} color="var(--vas-record)" />
                )
              }
              rightSection={<IconChevronDown size={14} />}
            >
              {kind === 'stop' ? 'Stop recording' : 'Record now'}
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => control.mutate({ kind })}>
              {kind === 'stop' ? 'Until started again' : 'Until stopped'}
            </Menu.Item>
            {LENGTHS.map(({ label, minutes }) => (
              <Menu.Item key={minutes} onClick={() => control.mutate({ kind, forMinutes: minutes })}>
                {label}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
        {recording.override && (
          <Button
            size="xs"
            px={10}
            variant="default"
            leftSection={<IconRotate size={15} />}
            onClick={() => control.mutate({ kind: 'resume' })}
          >
            Back to automatic
          </Button>
        )}
        <Button
          size="xs"
          px={10}
          variant="default"
          leftSection={<IconSquareRotated size={15} />}
          onClick={() => setMarking(true)}
        >
          Mark event
        </Button>
      </Group>
      <StatisticsList
        rows={[
          ['Mode', MODE_LABELS[recording.mode]],
          ['Since', recording.since ? <Timestamp key="since" at={recording.since} /> : NOTHING],
          ['Oldest footage', recording.oldest ? <Timestamp key="oldest" at={recording.oldest} /> : NOTHING],
          ['Size', formatBytes(recording.bytes)],
          ['Retention', formatRetention(recording.retention, sharedBytes)],
        ]}
      />
      <Group gap={4} mt="sm" ml={-6}>
        <Button
          size="compact-sm"
          variant="subtle"
          component={Link}
          to={recordedDaysAddress(deviceId)}
          leftSection={<IconCalendar size={15} />}
        >
          Recorded days
        </Button>
        <Button
          size="compact-sm"
          variant="subtle"
          component={Link}
          to={`/devices/${deviceId}/recording`}
          leftSection={<IconSettings size={15} />}
        >
          Settings
        </Button>
      </Group>
      <RecordingEventDialog
        isOpen={isMarking}
        startsRecording={recording.mode === 'event'}
        onClose={() => setMarking(false)}
        onMark={(event) => control.mutateAsync({ kind: 'event', ...event })}
      />
    </Panel>
  );
}
