// The values of the channel form, and how they become the fields of a channel.
import type { Channel, ChannelFields, ChannelKind, MailPart } from '../api/notifications';

export const CHANNEL_KINDS: { value: ChannelKind; label: string; about: string }[] = [
  { value: 'webhook', label: 'Webhook', about: 'A signed HTTP request to a program (Standard Webhooks).' },
  { value: 'mqtt', label: 'MQTT', about: 'States and events for a broker; Home Assistant finds the cameras.' },
  { value: 'mail', label: 'Mail', about: 'Mails with pictures by an SMTP server.' },
  { value: 'push', label: 'Web push', about: 'Notifications on phones and computers, also while this page is closed.' },
];

export const kindLabel = (kind: ChannelKind): string =>
  CHANNEL_KINDS.find(({ value }) => value === kind)?.label ?? kind;

export interface ChannelValues {
  name: string;
  kind: ChannelKind;
  enabled: boolean;
  url: string;
  /** "Name: value" in each line; null: as they were. */
  headers: string | null;
  host: string;
  port: number | string;
  tls: boolean;
  ca_certificate: string;
  username: string;
  /** null: as it was. */
  password: string | null;
  prefix: string;
  discovery: boolean;
  discovery_prefix: string;
  pictures: boolean;
  commands: boolean;
  encryption: MailPart['encryption'];
  sender: string;
  recipients: string[];
}

export const newChannel = (): ChannelValues => ({
  name: '',
  kind: 'webhook',
  enabled: true,
  url: '',
  headers: '',
  host: '',
  port: '',
  tls: false,
  ca_certificate: '',
  username: '',
  password: '',
  prefix: 'vas',
  discovery: true,
  discovery_prefix: 'homeassistant',
  pictures: true,
  commands: false,
  encryption: 'starttls',
  sender: '',
  recipients: [],
});

export function channelValuesOf(channel: Channel): ChannelValues {
  const { name, kind, enabled, webhook, mqtt, mail } = channel;
  return {
    ...newChannel(),
    name,
    kind,
    enabled,
    url: webhook?.url ?? '',
    headers: webhook?.header_names?.length ? null : '',
    password: (mqtt ?? mail)?.has_password ? null : '',
    ...(mqtt && {
      host: mqtt.host,
      port: mqtt.port,
      tls: mqtt.tls,
      ca_certificate: mqtt.ca_certificate ?? '',
      username: mqtt.username ?? '',
      prefix: mqtt.prefix,
      discovery: mqtt.discovery,
      discovery_prefix: mqtt.discovery_prefix,
      pictures: mqtt.pictures,
      commands: mqtt.commands,
    }),
    ...(mail && {
      host: mail.host,
      port: mail.port ?? '',
      username: mail.username ?? '',
      encryption: mail.encryption,
      sender: mail.sender,
      recipients: mail.recipients,
    }),
  };
}

/** Lines of "Name: value"; a line without a colon is a header without a value. */
export function parseHeaders(text: string): Record<string, string> {
  const lines = text.split('\n').map((line) => line.trim());
  return Object.fromEntries(
    lines.filter(Boolean).map((line) => {
      const at = line.indexOf(':');
      return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
    }),
  );
}

export function channelFieldsOf(values: ChannelValues): ChannelFields {
  const { name, kind, enabled } = values;
  const login = { username: values.username.trim() || null, ...secretOf(values.password) };
  const fields: ChannelFields = { name: name.trim(), kind, enabled, webhook: null, mqtt: null, mail: null, push: null };
  if (kind === 'webhook')
    fields.webhook = {
      url: values.url.trim(),
      ...(values.headers !== null && { headers: values.headers.trim() ? parseHeaders(values.headers) : null }),
    };
  if (kind === 'mqtt')
    fields.mqtt = {
      host: values.host.trim(),
      port: values.port === '' ? (values.tls ? 8883 : 1883) : Number(values.port),
      tls: values.tls,
      ca_certificate: values.ca_certificate.trim() || null,
      prefix: values.prefix.trim(),
      discovery: values.discovery,
      discovery_prefix: values.discovery_prefix.trim(),
      pictures: values.pictures,
      commands: values.commands,
      ...login,
    };
  if (kind === 'mail')
    fields.mail = {
      host: values.host.trim(),
      port: values.port === '' ? null : Number(values.port),
      encryption: values.encryption,
      sender: values.sender.trim(),
      recipients: values.recipients,
      ...login,
    };
  return fields;
}

function secretOf(password: string | null): { password?: string | null } {
  return password === null ? {} : { password: password || null };
}

/** The server's error messages by the names of this form. */
export function placeChannelErrors(errors: Record<string, string>): Partial<Record<keyof ChannelValues, string>> {
  const known = Object.keys(newChannel()) as (keyof ChannelValues)[];
  const placed: Partial<Record<keyof ChannelValues, string>> = {};
  for (const [key, message] of Object.entries(errors)) {
    const field = key.split('.').at(-1) ?? key;
    const found = known.find((name) => name === field) ?? known.find((name) => message.startsWith(`'${name}'`));
    if (found) placed[found] = message;
  }
  return placed;
}
