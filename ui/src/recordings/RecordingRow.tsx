// One camera's recording in the list: state, its last days or one day, range, size and retention.
import { Link } from 'react-router';
import type { CoverageDay, Recording } from '../api/recordingTypes';
import { formatBytes } from '../formatting/amounts';
import { formatRetention } from './retentionText';
import { useSharedLimit } from './useStorageStatistics';
import { useShownRecording } from './useShownRecording';
import { DayBars } from './DayBars';
import { DayStrip } from './DayStrip';
import { StatisticsColumns } from '../widgets/StatisticsColumns';
import { NOTHING } from '../formatting/statistics';
import { recordedDaysAddress } from '../addresses/recordingAddresses';
import { RecordingBadge } from './RecordingBadge';
import { MODE_LABELS, recordingSentence } from './recordingStyles';
import { ShortMoment } from '../widgets/ShortMoment';
import classes from './RecordingList.module.css';

export interface RecordingRowProps {
  recording: Recording;
  dates: string[];
  days: Map<string, CoverageDay> | undefined;
  /** The day to show as a 24-hour strip instead of the last days; null for the last days. */
  date: string | null;
  timeZone: string;
}

export function RecordingRow({ dates, days, date, timeZone, ...props }: RecordingRowProps) {
  const recording = useShownRecording(props.recording);
  const sharedBytes = useSharedLimit(recording.retention);
  const { device_id: id, device_name: name } = recording;
  const why = recordingSentence(recording);
  return (
    <li className={`surface ${classes.row}`} data-testid="recording-row">
      <div className={classes.about}>
        <div className={classes.title}>
          <Link to={recordedDaysAddress(id)} className={classes.name} title={name}>
            {name}
          </Link>
        </div>
        <div className={classes.state}>
          <RecordingBadge recording={recording} />
          <span className={classes.why} title={why}>
            {recording.observed === 'recording' && !recording.override
              ? MODE_LABELS[recording.mode]
              : why || MODE_LABELS[recording.mode]}
          </span>
        </div>
      </div>
      <div className={classes.days}>
        {date ? (
          <DayStrip deviceId={id} name={name} date={date} timeZone={timeZone} />
        ) : (
          <DayBars dates={dates} days={days} addressOf={(day) => recordedDaysAddress(id, day)} />
        )}
      </div>
      <StatisticsColumns
        className={classes.statistics}
        rows={[
          ['From', recording.oldest ? <ShortMoment key="from" at={recording.oldest} /> : NOTHING],
          [
            'To',
            recording.observed === 'recording' ? (
              'Now'
            ) : recording.newest ? (
              <ShortMoment key="to" at={recording.newest} />
            ) : (
              NOTHING
            ),
          ],
          ['Size', formatBytes(recording.bytes)],
          ['Retention', formatRetention(recording.retention, sharedBytes)],
        ]}
      />
    </li>
  );
}
