// Form values of the recording settings: initial values, validation, and conversion to the API.
import type { Recording, RecordingMode, RecordingSettings, WeeklyPlan } from '../api/recordingTypes';
import { GIGABYTE } from '../formatting/amounts';
import { sentence } from '../formatting/sentence';

export interface RecordingValues {
  mode: RecordingMode;
  time_zone: string;
  plan: WeeklyPlan;
  /** An empty number field holds an empty string. */
  pre_roll_seconds: number | string;
  post_roll_seconds: number | string;
  /** Empty for the server's default for all cameras. */
  keep_days: number | string;
  /** In gigabytes. */
  keep_bytes: number | string;
  /** Empty for the server's default. */
  archive_keep_days: number | string;
  waits_for_copy: boolean;
}

export function recordingValuesOf(recording: Recording): RecordingValues {
  const { mode, time_zone, plan, pre_roll_seconds, post_roll_seconds, keep_days, keep_bytes } = recording;
  return {
    mode,
    time_zone,
    plan,
    pre_roll_seconds,
    post_roll_seconds,
    keep_days: keep_days ?? '',
    keep_bytes: keep_bytes === null ? '' : Number((keep_bytes / GIGABYTE).toFixed(3)),
    archive_keep_days: recording.archive_keep_days ?? '',
    waits_for_copy: recording.waits_for_copy,
  };
}

export function recordingSettingsOf(values: RecordingValues): RecordingSettings {
  return {
    mode: values.mode,
    time_zone: values.time_zone,
    plan: values.plan,
    pre_roll_seconds: Number(values.pre_roll_seconds),
    post_roll_seconds: Number(values.post_roll_seconds),
    keep_days: values.keep_days === '' ? null : Number(values.keep_days),
    keep_bytes: values.keep_bytes === '' ? null : Math.round(Number(values.keep_bytes) * GIGABYTE),
    archive_keep_days: values.archive_keep_days === '' ? null : Number(values.archive_keep_days),
    waits_for_copy: values.waits_for_copy,
  };
}

const FIELD_NAMES: Record<string, string> = {
  mode: 'the mode',
  time_zone: 'the time zone',
  plan: 'the plan',
  pre_roll_seconds: 'the time before',
  post_roll_seconds: 'the time after',
  keep_days: 'the number of days',
  keep_bytes: 'the size',
  archive_keep_days: 'the number of days in the archive',
};

/** An error of the server as a sentence, with the API's field name ('keep_days') replaced by the form's name. */
export const recordingFieldSentence = (text: string): string =>
  sentence(text.replace(/^'(\w+)'/, (quoted, field: string) => FIELD_NAMES[field] ?? quoted));

export const RECORDING_FIELDS = Object.keys(FIELD_NAMES);

const wholeNumber = (value: number | string, min: number, max: number): string | null => {
  const count = Number(value);
  return value !== '' && Number.isInteger(count) && count >= min && count <= max
    ? null
    : `Enter a whole number from ${min} to ${max}`;
};

export const recordingRules = {
  plan: (plan: WeeklyPlan, values: RecordingValues) =>
    values.mode === 'scheduled' && Object.values(plan).every((spans) => spans.length === 0)
      ? 'Plan at least one time range, or choose another mode'
      : null,
  pre_roll_seconds: (value: number | string) => wholeNumber(value, 0, 300),
  post_roll_seconds: (value: number | string) => wholeNumber(value, 0, 3600),
  keep_days: (value: number | string) => (value === '' ? null : wholeNumber(value, 0, 36_500)),
  archive_keep_days: (value: number | string) => (value === '' ? null : wholeNumber(value, 0, 36_500)),
  keep_bytes: (value: number | string) =>
    value === '' || (Number.isFinite(Number(value)) && Number(value) >= 0) ? null : 'Enter a size in gigabytes',
};
