// One plugin with its work beside streams: jobs, schedules, services.
import { request } from './http';
import type { Plugin } from './types';

export type ServiceState = 'starting' | 'running' | 'pausing' | 'done';

export interface PluginService {
  name: string;
  /** Null: no plugins worker has it now. */
  state: ServiceState | null;
  since: string | null;
  restarts: number;
  error: string | null;
  cpu_percent: number | null;
  memory_bytes: number | null;
}

export interface PluginSchedule {
  name: string;
  every_seconds: number;
  is_running: boolean;
  started_at: string | null;
  next_at: string | null;
  error: string | null;
}

export interface PluginWork extends Plugin {
  jobs: { kind: string; title: string }[];
  schedules: PluginSchedule[];
  services: PluginService[];
  tables: string[];
  folder_bytes: number | null;
  work_problems: { reason: string; remedy: string }[];
}

export async function readPlugin(name: string, signal?: AbortSignal): Promise<PluginWork> {
  return (await request<PluginWork>(`/plugins/${encodeURIComponent(name)}`, { signal })).data;
}
