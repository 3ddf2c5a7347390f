// Devices: list, read, create, replace, delete, probe, and their history.
import { request } from './http';
import { readPage, type Page } from './pagination';
import type { DeletedDevice, Device, DeviceEvent, DeviceFields, ProbeRequest, ProbeResult } from './types';

export interface DeviceListQuery {
  page: number;
  pageSize: number;
  sort: string;
  q: string;
  tag: string;
  state: string;
}

/** A device with the ETag that a later PUT sends back, so that a concurrent change is detected. */
export interface VersionedDevice {
  device: Device;
  etag: string | null;
}

const PROBE_TIMEOUT_MS = 45_000;

export async function listDevices(query: DeviceListQuery, signal?: AbortSignal): Promise<Page<Device>> {
  const { page, pageSize, sort, q, tag, state } = query;
  return readPage(
    await request<Device[]>('/devices', { query: { page, page_size: pageSize, sort, q, tag, state }, signal }),
  );
}

export async function readDevice(id: string, signal?: AbortSignal): Promise<VersionedDevice> {
  const response = await request<Device>(`/devices/${encodeURIComponent(id)}`, { signal });
  return { device: response.data, etag: response.headers.get('ETag') };
}

export async function createDevice(fields: DeviceFields): Promise<Device> {
  return (await request<Device>('/devices', { method: 'POST', body: fields })).data;
}

/** With `etag` null the version is not checked. */
export async function replaceDevice(id: string, fields: DeviceFields, etag: string | null): Promise<Device> {
  const headers: Record<string, string> = etag ? { 'If-Match': etag } : {};
  return (await request<Device>(`/devices/${encodeURIComponent(id)}`, { method: 'PUT', body: fields, headers })).data;
}

export async function deleteDevice(id: string): Promise<void> {
  await request(`/devices/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

/** Deleted devices that can be restored, the newest deletion first. */
export async function listDeletedDevices(signal?: AbortSignal): Promise<DeletedDevice[]> {
  return (await request<DeletedDevice[]>('/devices/deleted', { signal })).data;
}

export async function restoreDevice(id: string): Promise<Device> {
  return (await request<Device>(`/devices/${encodeURIComponent(id)}/restore`, { method: 'POST' })).data;
}

/** Removes a deleted device for good. */
export async function purgeDevice(id: string): Promise<void> {
  await request(`/devices/deleted/${encodeURIComponent(id)}`, { method: 'DELETE' });
}

export async function probeSource(body: ProbeRequest, signal?: AbortSignal): Promise<ProbeResult> {
  return (await request<ProbeResult>('/devices/probe', { method: 'POST', body, signal, timeoutMs: PROBE_TIMEOUT_MS }))
    .data;
}

export async function listDeviceEvents(id: string, page: number, signal?: AbortSignal): Promise<Page<DeviceEvent>> {
  return readPage(
    await request<DeviceEvent[]>(`/devices/${encodeURIComponent(id)}/events`, {
      query: { page, page_size: 10 },
      signal,
    }),
  );
}
