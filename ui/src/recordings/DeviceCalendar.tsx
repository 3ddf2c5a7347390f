// The calendar of one device's footage; fetches the month on display.
import { useState } from 'react';
import { useNow } from '../widgets/useNow';
import { useRecordedDates } from './useRecordedDates';
import { dateOf } from '../formatting/timeZone';
import { addDays, addMonths, monthOf } from '../formatting/calendarDates';
import { Failure } from '../widgets/Failure';
import { RecordedCalendar } from './RecordedCalendar';

interface DeviceCalendarProps {
  deviceId: string;
  timeZone: string;
  value: string | null;
  onPick: (date: string) => void;
}

export function DeviceCalendar({ deviceId, timeZone, value, onPick }: DeviceCalendarProps) {
  const today = dateOf(timeZone, useNow(60_000));
  const [month, setMonth] = useState(monthOf(value ?? today));
  const [seen, setSeen] = useState(value);
  if (seen !== value) {
    setSeen(value);
    if (value) setMonth(monthOf(value));
  }
  const { data, error, refetch } = useRecordedDates(
    deviceId,
    timeZone,
    `${month}-01`,
    addDays(`${addMonths(month, 1)}-01`, -1),
  );
  if (error && !data)
    return <Failure title="The recorded days could not be loaded" error={error} onRetry={() => void refetch()} />;
  return <RecordedCalendar month={month} onMonth={setMonth} days={data} value={value} onPick={onPick} today={today} />;
}
