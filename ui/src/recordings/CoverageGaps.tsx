// Gaps in footage: start, end, length and reason, with a link to the footage before each.
import { Anchor, Button } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'react-router';
import type { CoverageGap } from '../api/recordingTypes';
import { formatLength } from '../formatting/moments';
import { formatTime } from '../formatting/zonedTimes';
import { deviceMomentAddress } from '../addresses/recordingAddresses';
import { sentence } from '../formatting/sentence';
import classes from './CoverageReport.module.css';

const FIRST_SHOWN = 20;
const LEAD_IN_MS = 5_000;

export function CoverageGaps({
  gaps,
  deviceId,
  timeZone,
}: {
  gaps: CoverageGap[];
  deviceId: string;
  timeZone: string;
}) {
  const [isExpanded, setExpanded] = useState(false);
  const shown = isExpanded ? gaps : gaps.slice(0, FIRST_SHOWN);
  return (
    <>
      <ul className={classes.list} aria-label="Gaps">
        {shown.map((gap) => {
          const startMs = Date.parse(gap.start);
          return (
            <li key={`${gap.start} ${gap.reason.code}`} className={classes.gap}>
              <span>
                {formatTime(timeZone, startMs)} – {gap.end ? formatTime(timeZone, Date.parse(gap.end)) : 'now'}
              </span>
              <span className={classes.length}>{formatLength(gap.seconds * 1000)}</span>
              <span className={gap.is_wanted ? classes.reason : `${classes.reason} ${classes.soft}`}>
                {sentence(
                  gap.by && !gap.reason.message.includes(gap.by)
                    ? `${gap.reason.message} by ${gap.by}`
                    : gap.reason.message,
                )}
                {!gap.is_wanted && ' (intended)'}
              </span>
              {/* There may be no footage before an intended gap, unless a person stopped the recording. */}
              {(gap.is_wanted || gap.by) && (
                <Anchor
                  component={Link}
                  fz="inherit"
                  className={classes.watch}
                  to={deviceMomentAddress(deviceId, startMs - LEAD_IN_MS)}
                >
                  Play before gap
                </Anchor>
              )}
            </li>
          );
        })}
      </ul>
      {shown.length < gaps.length && (
        <Button size="compact-xs" variant="default" mt="xs" onClick={() => setExpanded(true)}>
          Show all {gaps.length}
        </Button>
      )}
    </>
  );
}
