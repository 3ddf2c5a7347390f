// The values of the device form: initial values, validation, and the request body.
import type { UseFormReturnType } from '@mantine/form';
import type { Device, DeviceFields } from '../api/types';
import { sentence } from '../formatting/sentence';
import { hasHiddenInfo, joinSource, splitSource, withoutHiddenInfo } from './sourceAddress';

export interface DeviceValues extends Omit<DeviceFields, 'sub_source_url' | 'idle_seconds' | 'tls_fingerprint'> {
  /** Addresses without user and password, unless they were just typed with them. */
  source_url: string;
  sub_source_url: string;
  /** Empty: the stored ones are kept. */
  user: string;
  password: string;
  /** The camera needs no user and password: stored ones are removed. */
  isOpen: boolean;
  /** The addresses as the server shows them, with *** for what it hides; sent back unchanged, they keep it. */
  stored: { source_url: string; sub_source_url: string };
  tls_fingerprint: string;
  /** An empty string while the field is empty. */
  idle_seconds: number | string;
}

/** The form object that the field components take. */
export type DeviceFormState = UseFormReturnType<DeviceValues>;

export const NEW_DEVICE: DeviceValues = {
  name: '',
  source_url: '',
  sub_source_url: '',
  user: '',
  password: '',
  isOpen: false,
  stored: { source_url: '', sub_source_url: '' },
  transport: 'tcp',
  tls_trust: 'verify',
  tls_fingerprint: '',
  description: '',
  location: '',
  tags: [],
  start_mode: 'always',
  idle_seconds: 60,
  enabled: true,
};

export function valuesOf(device: Device): DeviceValues {
  const { name, source_url, transport, description, location, tags, start_mode, idle_seconds, enabled } = device;
  const stored = { source_url, sub_source_url: device.sub_source_url ?? '' };
  return {
    name,
    source_url: withoutHiddenInfo(stored.source_url),
    sub_source_url: withoutHiddenInfo(stored.sub_source_url),
    user: '',
    password: '',
    isOpen: false,
    stored,
    transport,
    tls_trust: device.tls_trust,
    tls_fingerprint: device.tls_fingerprint ?? '',
    description: description ?? '',
    location: location ?? '',
    tags,
    start_mode,
    idle_seconds,
    enabled,
  };
}

type SourceField = 'source_url' | 'sub_source_url';

/** Whether a user and a password are stored that the form does not know. */
export const isHidden = ({ stored }: DeviceValues): boolean =>
  hasHiddenInfo(stored.source_url) || hasHiddenInfo(stored.sub_source_url);

const hasNewLogin = ({ user, password, isOpen, source_url }: DeviceValues): boolean =>
  isOpen || user !== '' || password !== '' || splitSource(source_url).user !== '';

/** The URL to send for an address of the form: as it is stored, or with the user and password of the form. */
export function sourceOf(values: DeviceValues, field: SourceField): string {
  const typed = values[field].trim();
  const stored = values.stored[field];
  if (!hasNewLogin(values) && stored && typed === withoutHiddenInfo(stored)) return stored;
  const own = splitSource(typed);
  if (own.user || own.password) return joinSource(own);
  if (values.isOpen) return typed;
  const main = splitSource(values.source_url);
  const { user, password } = main.user ? main : values;
  return joinSource({ address: typed, user, password });
}

/** Whether a connection to the camera is encrypted, so that the trust in its certificate matters. */
export const isEncrypted = ({ source_url, sub_source_url }: DeviceValues): boolean =>
  [source_url, sub_source_url].some((url) => /^\s*(rtsps|https):/i.test(url));

/** The trust to send: without encryption, the default. */
export function trustOf(values: DeviceValues): Pick<DeviceFields, 'tls_trust' | 'tls_fingerprint'> {
  const trust = isEncrypted(values) ? values.tls_trust : 'verify';
  return { tls_trust: trust, tls_fingerprint: trust === 'pinned' ? values.tls_fingerprint.trim() : null };
}

export function fieldsOf(values: DeviceValues): DeviceFields {
  const { transport, tags, start_mode, enabled } = values;
  return {
    transport,
    ...trustOf(values),
    tags,
    start_mode,
    enabled,
    name: values.name.trim(),
    source_url: sourceOf(values, 'source_url'),
    sub_source_url: values.sub_source_url.trim() ? sourceOf(values, 'sub_source_url') : null,
    description: values.description.trim(),
    location: values.location.trim(),
    idle_seconds: Number(values.idle_seconds),
  };
}

const FIELD_NAMES: Record<string, string> = {
  name: 'the name',
  source_url: 'the address',
  sub_source_url: 'the sub-stream address',
  tls_fingerprint: 'the fingerprint',
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
  const url = splitSource(text.trim()).address;
  if (!url) return 'Enter the camera’s address, such as rtsp://192.168.1.64/stream1';
  // Plugins may add schemes: the server knows which.
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(url))
    return 'The address must begin with rtsp:// or another scheme, such as http://';
  // eslint-disable-next-line no-control-regex
  if (/[\s\u0000-\u001f\u007f]/.test(url)) return 'The address must not contain spaces or control characters';
  const host = /^[^:]+:\/\/(\[[^\]]+\]|[^/:?#]*)/i.exec(url)?.[1];
  if (!host) return 'The address has no host: enter the camera’s host name or IP address after ://';
  return null;
}

function checkField(values: DeviceValues, field: SourceField): string | null {
  const error = checkSourceUrl(values[field]);
  const isKept = sourceOf(values, field) === values.stored[field];
  return error ?? (!isKept && values[field].includes('***') ? 'Replace *** by what it hides' : null);
}

export const deviceRules = {
  name: (name: string) => {
    if (!name.trim()) return 'Enter a name';
    return name.trim().length > 100 ? 'Use at most 100 characters' : null;
  },
  source_url: (_: string, values: DeviceValues) => checkField(values, 'source_url'),
  sub_source_url: (url: string, values: DeviceValues) => (url.trim() ? checkField(values, 'sub_source_url') : null),
  password: (_: string, values: DeviceValues) => {
    const isMoved = (['source_url', 'sub_source_url'] as const).some(
      (field) => values[field].trim() !== withoutHiddenInfo(values.stored[field]) && values[field].trim() !== '',
    );
    return isHidden(values) && isMoved && !hasNewLogin(values)
      ? 'Enter user and password again: they are never sent to another address by themselves'
      : null;
  },
  tls_fingerprint: (text: string, values: DeviceValues) =>
    trustOf(values).tls_trust === 'pinned' && !/^([0-9a-f]{2}[:\s]*){32}$/i.test(text.trim())
      ? 'Enter the SHA-256 fingerprint of the certificate: 64 hexadecimal digits. A test of the address shows it'
      : null,
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
