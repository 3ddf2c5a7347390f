// Notifications: channels, rules, deliveries, and the browsers of push channels.
import { request } from './http';
import { readPage, type Page } from './pagination';
import type { WeeklyPlan } from './recordingTypes';

export type ChannelKind = 'webhook' | 'mqtt' | 'mail' | 'push';

export interface WebhookPart {
  url: string;
  /** Sent only to change it; null removes all. */
  headers?: Record<string, string> | null;
  header_names?: string[];
  previous_valid_until?: string | null;
}

export interface MqttPart {
  host: string;
  port: number;
  tls: boolean;
  ca_certificate: string | null;
  username: string | null;
  /** Sent only to change it; null removes it. */
  password?: string | null;
  has_password?: boolean;
  prefix: string;
  discovery: boolean;
  discovery_prefix: string;
  pictures: boolean;
  commands: boolean;
}

export interface MailPart {
  host: string;
  port: number | null;
  encryption: 'starttls' | 'tls' | 'none';
  username: string | null;
  /** Sent only to change it; null removes it. */
  password?: string | null;
  has_password?: boolean;
  sender: string;
  recipients: string[];
}

export interface PushPart {
  public_key?: string;
  browsers?: number;
}

export interface ChannelFields {
  name: string;
  kind: ChannelKind;
  enabled: boolean;
  webhook: WebhookPart | null;
  mqtt: MqttPart | null;
  mail: MailPart | null;
  push: PushPart | null;
}

export interface Channel extends ChannelFields {
  id: string;
  state: 'ok' | 'failing' | 'disabled';
  disabled_reason: string | null;
  failing_since: string | null;
  last_ok_at: string | null;
  last_error: string | null;
  pending: number;
}

export interface RuleFields {
  name: string;
  enabled: boolean;
  kinds: string[];
  states: string[];
  labels: string[];
  zones: string[];
  min_score: number | null;
  device_ids: string[];
  tags: string[];
  moment: 'began' | 'ended';
  quiet_hours: WeeklyPlan;
  time_zone: string;
  cooldown_seconds: number;
  title: string;
  text: string;
  picture: boolean;
  channel_ids: string[];
}

export interface Rule extends RuleFields {
  id: string;
  /** What became of the events that matched within the last day. */
  last_day: { sent: number; cooldown: number; quiet: number; late: number };
}

export interface RulePreview {
  events: number;
  matched: number;
  notifications: number;
  newest: { at: string; device_id: string | null; device_name: string; title: string; text: string }[];
}

export type DeliveryState = 'pending' | 'delivered' | 'failed' | 'cancelled';

export interface Delivery {
  id: number;
  message_id: string;
  channel_id: string;
  channel_name: string;
  kind: ChannelKind;
  rule_id: string | null;
  rule_name: string;
  device_id: string | null;
  device_name: string;
  state: DeliveryState;
  title: string;
  text: string;
  attempts: number;
  created_at: string;
  next_try_at: string | null;
  finished_at: string | null;
  status: number | null;
  answer: string | null;
  reason: string | null;
  error: string | null;
}

export interface Versioned<T> {
  item: T;
  etag: string | null;
}

const ROOT = '/notifications';
const pathOf = (kind: 'channels' | 'rules', id: string): string => `${ROOT}/${kind}/${encodeURIComponent(id)}`;
const condition = (etag: string | null): Record<string, string> => (etag ? { 'If-Match': etag } : {});

export async function listChannels(signal?: AbortSignal): Promise<Channel[]> {
  return (await request<Channel[]>(`${ROOT}/channels`, { signal })).data;
}

export async function readChannel(id: string, signal?: AbortSignal): Promise<Versioned<Channel>> {
  const response = await request<Channel>(pathOf('channels', id), { signal });
  return { item: response.data, etag: response.headers.get('ETag') };
}

/** `id` null creates one; with `etag` null the version is not checked. */
export async function saveChannel(id: string | null, fields: ChannelFields, etag: string | null): Promise<Channel> {
  if (id === null) return (await request<Channel>(`${ROOT}/channels`, { method: 'POST', body: fields })).data;
  const options = { method: 'PUT', body: fields, headers: condition(etag) } as const;
  return (await request<Channel>(pathOf('channels', id), options)).data;
}

export async function deleteChannel(id: string): Promise<void> {
  await request(pathOf('channels', id), { method: 'DELETE' });
}

export async function testChannel(id: string): Promise<Delivery> {
  return (await request<Delivery>(`${pathOf('channels', id)}/test`, { method: 'POST' })).data;
}

/** Makes a new secret of a webhook; it is shown here alone. */
export async function rotateSecret(id: string): Promise<{ secret: string; previous_valid_until: string | null }> {
  const path = `${pathOf('channels', id)}/rotate`;
  return (await request<{ secret: string; previous_valid_until: string | null }>(path, { method: 'POST' })).data;
}

export interface Browser {
  id: string;
  browser: string;
  created_at: string;
}

export async function subscribeBrowser(
  channelId: string,
  body: { endpoint: string; p256dh: string; auth: string; browser: string },
): Promise<Browser> {
  return (await request<Browser>(`${pathOf('channels', channelId)}/subscriptions`, { method: 'POST', body })).data;
}

export async function listRules(signal?: AbortSignal): Promise<Rule[]> {
  return (await request<Rule[]>(`${ROOT}/rules`, { signal })).data;
}

export async function readRule(id: string, signal?: AbortSignal): Promise<Versioned<Rule>> {
  const response = await request<Rule>(pathOf('rules', id), { signal });
  return { item: response.data, etag: response.headers.get('ETag') };
}

/** `id` null creates one; with `etag` null the version is not checked. */
export async function saveRule(id: string | null, fields: RuleFields, etag: string | null): Promise<Rule> {
  if (id === null) return (await request<Rule>(`${ROOT}/rules`, { method: 'POST', body: fields })).data;
  const options = { method: 'PUT', body: fields, headers: condition(etag) } as const;
  return (await request<Rule>(pathOf('rules', id), options)).data;
}

export async function deleteRule(id: string): Promise<void> {
  await request(pathOf('rules', id), { method: 'DELETE' });
}

export async function previewRule(fields: RuleFields, signal?: AbortSignal): Promise<RulePreview> {
  return (await request<RulePreview>(`${ROOT}/rules/preview`, { method: 'POST', body: fields, signal })).data;
}

export interface DeliveryQuery {
  page: number;
  pageSize: number;
  state: string;
  channelId: string;
}

export async function listDeliveries(query: DeliveryQuery, signal?: AbortSignal): Promise<Page<Delivery>> {
  return readPage(
    await request<Delivery[]>(`${ROOT}/deliveries`, {
      query: { page: query.page, page_size: query.pageSize, state: query.state, channel_id: query.channelId },
      signal,
    }),
  );
}

export async function readDelivery(id: number, signal?: AbortSignal): Promise<Delivery> {
  return (await request<Delivery>(`${ROOT}/deliveries/${id}`, { signal })).data;
}

export async function retryDelivery(id: number): Promise<Delivery> {
  return (await request<Delivery>(`${ROOT}/deliveries/${id}/retry`, { method: 'POST' })).data;
}

export const notificationKeys = {
  all: ['notifications'] as const,
  channels: ['notifications', 'channels'] as const,
  rules: ['notifications', 'rules'] as const,
  deliveries: (query: DeliveryQuery) => ['notifications', 'deliveries', query] as const,
};
