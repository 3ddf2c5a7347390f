// The values of the device form: initial values, validation, and the request body.
import type { UseFormReturnType } from '@mantine/form';
import type { Device, DeviceFields } from '../api/types';
import { sentence } from '../formatting/sentence';

export interface DeviceValues extends Omit<DeviceFields, 'sub_source_url' | 'idle_seconds'> {
  sub_source_url: string;
  /** An empty string while the field is empty. */
  idle_seconds: number | string;
}

/** The form object that the field components take. */
export type DeviceFormState = UseFormReturnType<DeviceValues>;

export const NEW_DEVICE: DeviceValues = {
  name: '',
  source_url: '',
  sub_source_url: '',
  transport: 'tcp',
  description: '',
  location: '',
  tags: [],
  start_mode: 'always',
  idle_seconds: 60,
  enabled: true,
};

export function valuesOf(device: Device): DeviceValues {
  const { name, source_url, transport, description, location, tags, start_mode, idle_seconds, enabled } = device;
  return {
    name,
    source_url,
    sub_source_url: device.sub_source_url ?? '',
    transport,
    description: description ?? '',
    location: location ?? '',
    tags,
    start_mode,
    idle_seconds,
    enabled,
  };
}

export function fieldsOf(values: DeviceValues): DeviceFields {
  return {
    ...values,
    name: values.name.trim(),
    source_url: values.source_url.trim(),
    sub_source_url: values.sub_source_url.trim() || null,
    description: values.description.trim(),
    location: values.location.trim(),
    idle_seconds: Number(values.idle_seconds),
  };
}

const FIELD_NAMES: Record<string, string> = {
  name: 'the name',
  source_url: 'the address',
  sub_source_url: 'the sub-stream address',
  idle_seconds: 'the time',
  tags: 'each tag',
  description: 'the description',
  location: 'the location',
};

/** Replaces the field name at the start of a server message by its label: 'source_url' becomes "the address". */
export function fieldSentence(text: string): string {
  return sentence(text.replace(/^'(\w+)'/, (quoted, field: string) => FIELD_NAMES[field] ?? quoted));
}

/** The error in a source URL, or null. The server decides; this check only saves a round trip. */
export function checkSourceUrl(text: string): string | null {
  const url = text.trim();
  if (!url) return 'Enter the camera’s address, such as rtsp://192.168.1.64/stream1';
  if (!/^rtsps?:\/\//i.test(url)) return 'The address must begin with rtsp:// or rtsps://';
  // eslint-disable-next-line no-control-regex
  if (/[\s\u0000-\u001f\u007f]/.test(url)) return 'The address must not contain spaces or control characters';
  const host = /^rtsps?:\/\/(?:[^/?#]*@)?(\[[^\]]+\]|[^/:?#]*)/i.exec(url)?.[1];
  if (!host) return 'The address has no host: enter the camera’s host name or IP address after rtsp://';
  return null;
}

export const deviceRules = {
  name: (name: string) => {
    if (!name.trim()) return 'Enter a name';
    return name.trim().length > 100 ? 'Use at most 100 characters' : null;
  },
  source_url: checkSourceUrl,
  sub_source_url: (url: string) => (url.trim() ? checkSourceUrl(url) : null),
  location: (text: string) => (text.trim().length > 200 ? 'Use at most 200 characters' : null),
  description: (text: string) => (text.trim().length > 2000 ? 'Use at most 2000 characters' : null),
  tags: (tags: string[]) => {
    if (tags.length > 20) return 'Use at most 20 tags';
    return tags.some((tag) => tag.length > 50) ? 'Use at most 50 characters per tag' : null;
  },
  idle_seconds: (seconds: number | string, values: DeviceValues) => {
    if (values.start_mode !== 'on_demand') return null;
    const count = Number(seconds);
    return seconds !== '' && Number.isInteger(count) && count >= 5 && count <= 86_400
      ? null
      : 'Enter a whole number of seconds between 5 and 86400';
  },
};
