// The health of every component, and the installed plugins.
import { ApiError, request } from './http';
import type { Health, Plugin } from './types';

/** An unhealthy service responds 503 with the same document, which is accepted. */
export async function readHealth(signal?: AbortSignal): Promise<Health> {
  const response = await request<Partial<Health>>('/health', { signal, alsoAccept: [503] });
  if (!response.data.components) throw new ApiError(response.status, 'the server does not report its health yet');
  return response.data as Health;
}

export async function listPlugins(signal?: AbortSignal): Promise<Plugin[]> {
  return (await request<Plugin[]>('/plugins', { signal })).data;
}
