// Form values of a time-lapse: time range and duration, validation, summary, and conversion to the API.
import type { TimeLapseRequest, TimeLapseSource } from '../api/schedules';
import { instantOf, wallAt } from '../formatting/timeZone';
import { formatLength } from '../formatting/moments';
import type { TimeRange } from '../timeline/model';

export interface TimeLapseValues {
  source: TimeLapseSource;
  /** Local time in the camera's time zone: "2026-11-22T08:00". */
  from: string;
  to: string;
  length_seconds: number | string;
  /** Frames per second of the time-lapse. */
  fps: string;
  /** In pixels; empty for the original width. */
  width: string;
  /** Id of the schedule whose snapshots to use; empty for all snapshots. */
  schedule: string;
}

export const FIRST_LENGTH_SECONDS = 30;
export const MAX_LENGTH_SECONDS = 3_600;

const localText = (timeZone: string, atMs: number): string =>
  new Date(wallAt(timeZone, atMs)).toISOString().slice(0, 19);

export function firstTimeLapse(timeZone: string, range: TimeRange, source: TimeLapseSource): TimeLapseValues {
  return {
    source,
    from: localText(timeZone, range.startMs),
    to: localText(timeZone, range.endMs),
    length_seconds: Math.max(1, Math.min(FIRST_LENGTH_SECONDS, Math.floor((range.endMs - range.startMs) / 4_000))),
    fps: '25',
    width: '',
    schedule: '',
  };
}

/** Null if the text is not a moment. */
export function parseLocal(timeZone: string, text: string): number | null {
  const wallMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? Date.parse(`${text}Z`) : Number.NaN;
  return Number.isFinite(wallMs) ? instantOf(timeZone, wallMs) : null;
}

export const timeLapseRules = (timeZone: string, nowMs: number) => ({
  from: (from: string) => (parseLocal(timeZone, from) === null ? 'Enter a date and a time' : null),
  to: (to: string, values: TimeLapseValues) => {
    const [start, end] = [parseLocal(timeZone, values.from), parseLocal(timeZone, to)];
    if (end === null) return 'Enter a date and a time';
    if (end > nowMs + 60_000) return 'This time is in the future';
    return start !== null && end <= start ? 'The end must be after the start' : null;
  },
  length_seconds: (value: number | string) => {
    const seconds = Number(value);
    return value !== '' && seconds >= 1 && seconds <= MAX_LENGTH_SECONDS
      ? null
      : `Enter 1 to ${MAX_LENGTH_SECONDS} seconds`;
  },
});

/** A summary: "1 d in 30 s: 2,880× speed, one frame every 1 min 55 s." Empty while the values are invalid. */
export function formatTimeLapse(timeZone: string, values: TimeLapseValues): string {
  const [start, end] = [parseLocal(timeZone, values.from), parseLocal(timeZone, values.to)];
  const seconds = Number(values.length_seconds);
  if (start === null || end === null || end <= start || !(seconds > 0)) return '';
  const spanMs = end - start;
  const speed = spanMs / 1000 / seconds;
  if (speed <= 1) return 'Not faster than real time: choose a shorter duration.';
  const times = speed >= 10 ? Math.round(speed).toLocaleString() : speed.toFixed(1);
  const stepMs = spanMs / (seconds * Number(values.fps));
  const step = values.source === 'recordings' && stepMs >= 1_000 ? `, one frame every ${formatLength(stepMs)}` : '';
  return `${formatLength(spanMs)} in ${formatLength(seconds * 1000)}: ${times}× speed${step}.`;
}

export function timeLapseRequestOf(timeZone: string, values: TimeLapseValues): TimeLapseRequest {
  const iso = (text: string) => new Date(parseLocal(timeZone, text) ?? 0).toISOString();
  return {
    source: values.source,
    start: iso(values.from),
    end: iso(values.to),
    every_seconds: null,
    length_seconds: Number(values.length_seconds),
    fps: Number(values.fps),
    width: values.width === '' ? null : Number(values.width),
    ...(values.source === 'snapshots' && values.schedule !== '' ? { schedule_id: Number(values.schedule) } : {}),
  };
}
