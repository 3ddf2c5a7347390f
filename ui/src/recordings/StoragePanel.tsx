// The recordings disk: usage, how long the free space lasts, and its errors.
import { Skeleton, Text } from '@mantine/core';
import { Link } from 'react-router';
import { recordedDaysAddress } from '../addresses/recordingAddresses';
import type { ArchiveBacklog, StorageStatistics } from '../api/recordingTypes';
import { ArchiveState } from './ArchiveState';
import { useStorageStatistics } from './useStorageStatistics';
import { formatBytes } from '../formatting/amounts';
import { formatSpan } from '../formatting/moments';
import { useNow } from '../widgets/useNow';
import { Failure } from '../widgets/Failure';
import { StatisticsColumns } from '../widgets/StatisticsColumns';
import { NOTHING } from '../formatting/statistics';
import { Notice } from '../widgets/Notice';
import { Panel } from '../widgets/Panel';
import { sentence } from '../formatting/sentence';
import classes from './StoragePanel.module.css';

/** Whether footage is being written and the retention limits delete it before the disk is full. */
function isWithinLimits({ total_bytes, bytes_per_day, days_left }: StorageStatistics): boolean {
  return total_bytes !== null && days_left === null && (bytes_per_day ?? 0) > 0;
}

/** "about 5 days", "less than an hour"; a dash if nothing is being written. */
export function formatDaysLeft(days: number | null): string {
  if (days === null) return NOTHING;
  if (days < 1 / 24) return 'less than an hour';
  if (days < 2) return `about ${Math.max(1, Math.round(days * 24))} h`;
  if (days > 3_650) return 'more than 10 years';
  return days > 730 ? `about ${Math.round(days / 365)} years` : `about ${Math.round(days)} days`;
}

function UsageBar({ statistics }: { statistics: StorageStatistics }) {
  const total = statistics.total_bytes ?? 0;
  if (total <= 0) return null;
  const recordings = statistics.used_by_recordings_bytes ?? 0;
  const free = statistics.free_bytes ?? 0;
  const other = Math.max(0, total - free - recordings);
  const floor = statistics.floor_bytes ?? 0;
  const share = (bytes: number) => `${Math.min(100, (bytes / total) * 100)}%`;
  const label = `${formatBytes(recordings)} recordings, ${formatBytes(other)} other data, ${formatBytes(free)} free of ${formatBytes(total)}`;
  return (
    <>
      <div className={classes.meter} role="img" aria-label={label}>
        <div className={classes.recordings} style={{ width: share(recordings) }} />
        <div className={classes.other} style={{ width: share(other) }} />
        {floor > 0 && (
          <div
            className={classes.floor}
            style={{ width: share(floor) }}
            title={`${formatBytes(floor)} reserved: kept free`}
          />
        )}
      </div>
      <div className={classes.legend} aria-hidden>
        <span>
          <i className={classes.recordings} /> Recordings {formatBytes(recordings)}
        </span>
        <span>
          <i className={classes.other} /> Other {formatBytes(other)}
        </span>
        <span>
          <i className={classes.free} /> Free {formatBytes(free)}
        </span>
        {floor > 0 && (
          <span>
            <i className={classes.floorKey} /> Reserved {formatBytes(floor)}
          </span>
        )}
      </div>
    </>
  );
}

function archiveRows({ archive }: StorageStatistics): [string, string][] {
  if (!archive) return [];
  return [
    ['In the archive', `${formatBytes(archive.archived_bytes)}, ${formatBytes(archive.away_bytes)} of it only there`],
    ['Waiting for the archive', archive.waiting_bytes ? formatBytes(archive.waiting_bytes) : 'nothing'],
  ];
}

/** The cameras of which most waits for its copy, with the age of the oldest footage. */
function Backlogs({ backlogs, nowMs }: { backlogs: ArchiveBacklog[]; nowMs: number }) {
  if (backlogs.length === 0) return null;
  return (
    <ul className={classes.backlogs} aria-label="Waiting for the archive">
      {backlogs.map(({ device_id, device_name, waiting_bytes, oldest }) => (
        <li key={device_id}>
          <Link to={recordedDaysAddress(device_id)}>{device_name}</Link>
          <span>
            {formatBytes(waiting_bytes)} wait
            {oldest && `, the oldest for ${formatSpan(nowMs - Date.parse(oldest))}`}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function StoragePanel() {
  const { data, error, refetch } = useStorageStatistics();
  const nowMs = useNow(30_000);
  return (
    <Panel
      title="Storage"
      end={data?.total_bytes ? <Text size="sm" c="dimmed">{`${formatBytes(data.total_bytes)} disk`}</Text> : undefined}
    >
      {error && !data && (
        <Failure title="The storage statistics could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={90} />}
      {data && (
        <div className={classes.body}>
          {data.reason && (
            <Notice tone={data.state === 'ok' ? 'warn' : 'bad'} title={sentence(data.reason.message)} role="status">
              {data.reason.remedy && sentence(data.reason.remedy)}
            </Notice>
          )}
          <UsageBar statistics={data} />
          <StatisticsColumns
            rows={[
              ['Written in 24 hours', data.bytes_per_day === null ? NOTHING : formatBytes(data.bytes_per_day)],
              ...(data.keep_bytes ? [['Limit of all cameras', formatBytes(data.keep_bytes)] as [string, string]] : []),
              ...(data.tenant_keep_bytes
                ? [['Limit of your cameras', formatBytes(data.tenant_keep_bytes)] as [string, string]]
                : []),
              ...archiveRows(data),
              [
                'Free space lasts',
                isWithinLimits(data)
                  ? 'always, because older footage is deleted by the limits'
                  : formatDaysLeft(data.days_left),
              ],
            ]}
          />
          {data.archive?.archives.map((archive) => (
            <ArchiveState key={archive.name} archive={archive} nowMs={nowMs} />
          ))}
          <Backlogs backlogs={data.archive?.backlogs ?? []} nowMs={nowMs} />
        </div>
      )}
    </Panel>
  );
}
