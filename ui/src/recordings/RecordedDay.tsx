// One recorded day: a 24-hour strip, its coverage, its gaps with reasons, and a link that plays it.
import { Button, Skeleton, Text } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { Link } from 'react-router';
import { useCoverage } from './useCoverage';
import { useDayTimeline } from './useDayTimeline';
import { dayBounds } from '../formatting/timeZone';
import { formatShare } from '../formatting/amounts';
import { formatDate } from '../formatting/calendarDates';
import { CoverageGaps } from './CoverageGaps';
import { DayStrip } from './DayStrip';
import { Failure } from '../widgets/Failure';
import { StatisticsColumns } from '../widgets/StatisticsColumns';
import { NOTHING } from '../formatting/statistics';
import { formatSpan } from '../formatting/moments';
import { Panel } from '../widgets/Panel';
import { PlacesLegend } from '../timeline/PlacesLegend';
import { deviceMomentAddress } from '../addresses/recordingAddresses';
import classes from './RecordedDay.module.css';

interface RecordedDayProps {
  deviceId: string;
  name: string;
  date: string;
  timeZone: string;
}

export function RecordedDay({ deviceId, name, date, timeZone }: RecordedDayProps) {
  const coverage = useCoverage(deviceId, { from: date, to: date, timeZone });
  const timeline = useDayTimeline(deviceId, date, timeZone);
  const day = coverage.data?.find((each) => each.date === date);
  const first = timeline.data?.spans[0];
  const { startMs } = dayBounds(timeZone, date);
  return (
    <Panel
      title={formatDate(date)}
      end={
        first && (
          <Button
            component={Link}
            to={deviceMomentAddress(deviceId, Math.max(first.startMs, startMs))}
            size="compact-sm"
            flex="none"
            leftSection={<IconPlayerPlay size={14} />}
          >
            Play this day
          </Button>
        )
      }
    >
      <div className={classes.body}>
        <div>
          <DayStrip deviceId={deviceId} name={name} date={date} timeZone={timeZone} />
          <div className={classes.hours} aria-hidden>
            {['00', '06', '12', '18', '24'].map((hour) => (
              <span key={hour}>{hour}</span>
            ))}
          </div>
        </div>
        <PlacesLegend places={timeline.data?.places ?? []} />
        {coverage.error && !day && (
          <Failure title="The day could not be loaded" error={coverage.error} onRetry={() => void coverage.refetch()} />
        )}
        {!day && !coverage.error && <Skeleton height={90} />}
        {day && (
          <>
            <StatisticsColumns
              rows={[
                ['Recorded', day.recorded_seconds > 0 ? formatSpan(day.recorded_seconds * 1000) : NOTHING],
                ['Expected', day.wanted_seconds > 0 ? formatSpan(day.wanted_seconds * 1000) : 'None'],
                ['Coverage', day.coverage === null ? NOTHING : formatShare(day.coverage)],
              ]}
            />
            {day.gaps.length > 0 ? (
              <CoverageGaps gaps={day.gaps} deviceId={deviceId} timeZone={timeZone} />
            ) : (
              <Text size="sm" c="dimmed">
                {day.wanted_seconds > 0 ? 'Nothing is missing on this day.' : 'No recording was expected on this day.'}
              </Text>
            )}
          </>
        )}
      </div>
    </Panel>
  );
}
