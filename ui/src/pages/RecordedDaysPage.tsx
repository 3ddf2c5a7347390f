// One camera's footage by date: a calendar, the selected day, and the coverage report.
import { Button, Skeleton } from '@mantine/core';
import { IconSettings, IconVideo } from '@tabler/icons-react';
import { Link, useParams, useSearchParams } from 'react-router';
import { ApiError } from '../api/http';
import { CoverageReport } from '../recordings/CoverageReport';
import { DeviceCalendar } from '../recordings/DeviceCalendar';
import { CameraZone } from '../widgets/CameraZone';
import { Failure } from '../widgets/Failure';
import { StatisticsList } from '../widgets/StatisticsList';
import { NOTHING } from '../formatting/statistics';
import { formatBytes } from '../formatting/amounts';
import { formatSpan } from '../formatting/moments';
import { PageHeader } from '../widgets/PageHeader';
import { Panel } from '../widgets/Panel';
import { RecordedDay } from '../recordings/RecordedDay';
import { RecordingBadge } from '../recordings/RecordingBadge';
import { formatRetention } from '../recordings/retentionText';
import { useSharedLimit } from '../recordings/useStorageStatistics';
import { useShownRecording } from '../recordings/useShownRecording';
import { MODE_LABELS } from '../recordings/recordingStyles';
import { Timestamp } from '../widgets/Timestamp';
import { useNow } from '../widgets/useNow';
import { useShownZone } from '../widgets/useShownZone';
import { useRecording } from '../recordings/useRecording';
import { dateOf } from '../formatting/timeZone';
import { NotFoundPage } from './NotFoundPage';
import classes from '../recordings/RecordedDay.module.css';

export function RecordedDaysPage() {
  const { id = '' } = useParams();
  const [search, setSearch] = useSearchParams();
  const { data, error, refetch } = useRecording(id);
  const now = useNow(60_000);
  const recording = useShownRecording(data?.recording);
  const sharedBytes = useSharedLimit(recording?.retention);
  const timeZone = useShownZone(recording?.time_zone);
  if (error instanceof ApiError && error.status === 404) return <NotFoundPage isCamera />;

  const today = dateOf(timeZone, now);
  const requested = search.get('date');
  const isDate =
    requested !== null &&
    /^\d{4}-\d\d-\d\d$/.test(requested) &&
    requested <= today &&
    !Number.isNaN(Date.parse(requested));
  const newest = recording?.newest ? dateOf(timeZone, Date.parse(recording.newest)) : today;
  const date = isDate ? requested : newest;
  const pick = (picked: string) => setSearch({ date: picked }, { replace: true });

  return (
    <CameraZone value={recording?.time_zone ?? null}>
      <PageHeader
        title={recording?.device_name ?? 'Recordings'}
        back={{ to: '/recordings', label: 'Recordings' }}
        beside={recording && <RecordingBadge recording={recording} />}
      >
        <Button
          variant="default"
          component={Link}
          to={`/devices/${id}`}
          leftSection={<IconVideo size={16} stroke={1.7} />}
        >
          Camera
        </Button>
        <Button
          variant="default"
          component={Link}
          to={`/devices/${id}/recording`}
          leftSection={<IconSettings size={16} stroke={1.7} />}
        >
          Settings
        </Button>
      </PageHeader>
      {error && !recording && (
        <Failure title="The recording could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!recording && !error && <Skeleton height={420} radius="md" />}
      {recording && (
        <div className={classes.columns}>
          <div className={classes.column}>
            <Panel title="Recorded days">
              <DeviceCalendar deviceId={id} timeZone={timeZone} value={date} onPick={pick} />
            </Panel>
            <div className={classes.last}>
              <Panel title="Footage">
                <StatisticsList
                  rows={[
                    ['Oldest', recording.oldest ? <Timestamp key="oldest" at={recording.oldest} /> : NOTHING],
                    ['Newest', recording.newest ? <Timestamp key="newest" at={recording.newest} /> : NOTHING],
                    ['Length', recording.seconds > 0 ? formatSpan(recording.seconds * 1000) : NOTHING],
                    ['Size', formatBytes(recording.bytes)],
                    ['Retention', formatRetention(recording.retention, sharedBytes)],
                    ['Mode', MODE_LABELS[recording.mode]],
                    ['Time zone', timeZone],
                  ]}
                />
              </Panel>
            </div>
          </div>
          <div className={classes.column}>
            <RecordedDay key={date} deviceId={id} name={recording.device_name} date={date} timeZone={timeZone} />
            <CoverageReport deviceId={id} timeZone={timeZone} today={today} onPick={pick} />
          </div>
        </div>
      )}
    </CameraZone>
  );
}
