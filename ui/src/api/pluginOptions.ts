// The options of plugins: of the installation, of devices with a tag, and of one device.
import { request } from './http';

/** What a list contains. */
export interface ItemSchema {
  type?: string | string[];
  enum?: unknown[];
  maxLength?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
  items?: ItemSchema;
  /** Of objects. */
  properties?: Record<string, ItemSchema>;
}

/** A field of the JSON Schema of options. */
export interface OptionSchema {
  title: string;
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  items?: ItemSchema;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  maxItems?: number;
  /** The kind of field in the form: a key of FIELD_KINDS, otherwise it is edited as JSON. */
  'x-kind': string;
  'x-order': number;
  'x-unit'?: string;
  /** `device`: devices may override it. */
  'x-scope': 'installation' | 'device';
}

export interface OptionOrigin {
  level: 'device' | 'tag' | 'installation' | 'default';
  tag: string | null;
  /** Further tags of the device that set another value. */
  other_tags: string[];
}

export interface OptionProblem {
  name: string | null;
  level: string;
  tag: string | null;
  message: string;
}

export type OptionValues = Record<string, unknown>;

export interface PluginOptions {
  plugin: string;
  level: 'installation' | 'tag' | 'device';
  tag: string | null;
  device_id: string | null;
  /** What is set at this place, without secrets. */
  values: OptionValues;
  /** Each secret, and whether it is set at this place. */
  secrets: Record<string, boolean>;
  effective: OptionValues;
  origins: Record<string, OptionOrigin>;
  /** What counts without what is set at this place. */
  inherited: OptionValues;
  inherited_origins: Record<string, OptionOrigin>;
  problems: OptionProblem[];
  missing: string[];
  /** The tags with options, for the installation. */
  tags: string[];
  schema: { properties: Record<string, OptionSchema>; required?: string[] };
  changed_at: string | null;
  changed_by: string | null;
}

export interface VersionedOptions {
  options: PluginOptions;
  etag: string | null;
}

/** A plugin, and a device, a tag, or neither for the installation. */
export interface OptionsPlace {
  plugin: string;
  deviceId?: string | undefined;
  tag?: string | undefined;
}

export const optionKeys = {
  all: ['plugin-options'] as const,
  ofDevice: (deviceId: string) => ['plugin-options', 'device', deviceId] as const,
  ofPlugin: (plugin: string) => ['plugin-options', 'plugin', plugin] as const,
};

function pathOf({ plugin, deviceId, tag }: OptionsPlace): string {
  const name = encodeURIComponent(plugin);
  if (deviceId !== undefined) return `/devices/${encodeURIComponent(deviceId)}/plugins/${name}`;
  return `/plugins/${name}/options${tag === undefined ? '' : `/tags/${encodeURIComponent(tag)}`}`;
}

export async function listDeviceOptions(deviceId: string, signal?: AbortSignal): Promise<PluginOptions[]> {
  return (await request<PluginOptions[]>(`/devices/${encodeURIComponent(deviceId)}/plugins`, { signal })).data;
}

export async function readOptions(place: OptionsPlace, signal?: AbortSignal): Promise<VersionedOptions> {
  const response = await request<PluginOptions>(pathOf(place), { signal });
  return { options: response.data, etag: response.headers.get('ETag') };
}

/** With `etag` null the version is not checked. A secret that `values` lacks stays, null removes it. */
export async function replaceOptions(place: OptionsPlace, values: OptionValues, etag: string | null) {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  return (await request<PluginOptions>(pathOf(place), { method: 'PUT', body: { values }, headers })).data;
}
