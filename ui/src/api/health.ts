// Health of every component, and what is installed.
import { ApiError, request } from './http';
import type { Health, Plugin } from './types';

/** An unhealthy service answers 503 with the same document, which is what we came for. */
export async function readHealth(signal?: AbortSignal): Promise<Health> {
  const answer = await request<Partial<Health>>('/health', { signal, alsoAccept: [503] });
  if (!answer.data.components) throw new ApiError(answer.status, 'the server is not ready to say how it is');
  return answer.data as Health;
}

export async function listPlugins(signal?: AbortSignal): Promise<Plugin[]> {
  return (await request<Plugin[]>('/plugins', { signal })).data;
}
