// Coverage report: recorded share of each day's expected recording time, its gaps with reasons on demand, and a CSV download.
import { Anchor, Button, SegmentedControl, Skeleton, Table, Text, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight, IconDownload } from '@tabler/icons-react';
import { Fragment, useState } from 'react';
import { coverageCsvUrl } from '../api/recordings';
import type { CoverageDay } from '../api/recordingTypes';
import { useCoverage } from './useCoverage';
import { formatShare } from '../formatting/amounts';
import { addDays, formatShortDate } from '../formatting/calendarDates';
import { CoverageGaps } from './CoverageGaps';
import { Failure } from '../widgets/Failure';
import { NOTHING } from '../formatting/statistics';
import { formatSpan } from '../formatting/moments';
import { Panel } from '../widgets/Panel';
import classes from './CoverageReport.module.css';

interface CoverageReportProps {
  deviceId: string;
  timeZone: string;
  today: string;
  onPick: (date: string) => void;
}

const SPANS = [7, 30, 90];

function DayRow({
  day,
  deviceId,
  timeZone,
  onPick,
}: {
  day: CoverageDay;
  deviceId: string;
  timeZone: string;
  onPick: () => void;
}) {
  const [isOpen, setOpen] = useState(false);
  const isLacking = day.coverage !== null && day.coverage < 0.99;
  const lost = day.gaps.filter((gap) => gap.is_wanted).length;
  const count = day.gaps.length;
  return (
    <Fragment>
      <Table.Tr>
        <Table.Td style={{ whiteSpace: 'nowrap' }}>
          <Anchor
            component="button"
            type="button"
            className={classes.date}
            fz="sm"
            c="inherit"
            fw={550}
            onClick={onPick}
          >
            {formatShortDate(day.date)}
          </Anchor>
        </Table.Td>
        <Table.Td>
          <div className={classes.cell}>
            <div className={classes.bar} aria-hidden>
              <i style={{ width: `${Math.min(1, day.recorded_seconds / 86_400) * 100}%` }} />
              {day.wanted_seconds > day.recorded_seconds && (
                <i
                  className={classes.missing}
                  style={{ width: `${Math.min(1, (day.wanted_seconds - day.recorded_seconds) / 86_400) * 100}%` }}
                />
              )}
            </div>
            <Text span fz="sm" fw={600} c={isLacking ? 'var(--vas-bad)' : undefined} className={classes.share}>
              {day.coverage === null ? NOTHING : formatShare(day.coverage)}
            </Text>
          </div>
        </Table.Td>
        <Table.Td className={`${classes.number} ${classes.spare}`}>
          {day.recorded_seconds > 0 ? formatSpan(day.recorded_seconds * 1000) : NOTHING}
        </Table.Td>
        <Table.Td className={`${classes.number} ${classes.spare}`}>
          {day.wanted_seconds > 0 ? formatSpan(day.wanted_seconds * 1000) : NOTHING}
        </Table.Td>
        <Table.Td className={classes.number}>
          {count === 0 ? (
            <Text span fz="sm" c="dimmed">
              none
            </Text>
          ) : (
            <UnstyledButton fz="sm" className={classes.toggle} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
              {lost > 0 ? lost : <span className={classes.soft}>{day.wanted_seconds > 0 ? 'none' : NOTHING}</span>}{' '}
              {isOpen ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
              <span className="visually-hidden">gaps on {formatShortDate(day.date)}</span>
            </UnstyledButton>
          )}
        </Table.Td>
      </Table.Tr>
      {isOpen && (
        <Table.Tr>
          <Table.Td colSpan={5} className={classes.gaps}>
            <CoverageGaps gaps={day.gaps} deviceId={deviceId} timeZone={timeZone} />
          </Table.Td>
        </Table.Tr>
      )}
    </Fragment>
  );
}

export function CoverageReport({ deviceId, timeZone, today, onPick }: CoverageReportProps) {
  const [span, setSpan] = useState(7);
  const query = { from: addDays(today, 1 - span), to: today, timeZone };
  const { data, error, refetch } = useCoverage(deviceId, query);
  const days = data?.toReversed();
  return (
    <Panel
      title="Coverage"
      end={
        <Button
          component="a"
          size="compact-sm"
          variant="default"
          href={coverageCsvUrl(deviceId, query)}
          download
          leftSection={<IconDownload size={14} />}
        >
          CSV
        </Button>
      }
    >
      <SegmentedControl
        size="xs"
        mb="xs"
        w={{ base: '100%', xs: 'auto' }}
        aria-label="Number of days"
        data={SPANS.map((days) => ({ value: String(days), label: `${days} days` }))}
        value={String(span)}
        onChange={(value) => setSpan(Number(value))}
      />
      {error && !data && (
        <Failure title="The coverage could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!days && !error && <Skeleton height={180} />}
      {days && (
        <Table fz="sm" verticalSpacing={6} horizontalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Day</Table.Th>
              <Table.Th>Coverage</Table.Th>
              <Table.Th className={`${classes.number} ${classes.spare}`}>Recorded</Table.Th>
              <Table.Th className={`${classes.number} ${classes.spare}`}>Expected</Table.Th>
              <Table.Th className={classes.number}>Gaps</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {days.map((day) => (
              <DayRow
                key={day.date}
                day={day}
                deviceId={deviceId}
                timeZone={timeZone}
                onPick={() => onPick(day.date)}
              />
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Panel>
  );
}
