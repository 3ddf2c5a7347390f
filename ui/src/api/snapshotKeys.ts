// The query keys of snapshots and posters.

export const snapshotKeys = {
  all: ['snapshots'] as const,
  lists: ['snapshots', 'list'] as const,
  list: (query: object) => ['snapshots', 'list', query] as const,
  recent: (deviceId: string, count: number) => ['snapshots', 'recent', deviceId, count] as const,
  one: (id: string) => ['snapshots', 'one', id] as const,
  poster: (deviceId: string, width: number) => ['posters', deviceId, width] as const,
};
