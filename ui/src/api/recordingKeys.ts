// The query keys of recordings.

export const recordingKeys = {
  all: ['recordings'] as const,
  list: (query: object) => ['recordings', 'list', query] as const,
  storage: ['recordings', 'storage'] as const,
  one: (deviceId: string) => ['recordings', 'one', deviceId] as const,
  settings: (deviceId: string) => ['recordings', 'one', deviceId, 'settings'] as const,
  timeline: (deviceId: string) => ['recordings', 'one', deviceId, 'timeline'] as const,
  timelineChunk: (deviceId: string, widthMs: number, index: number) =>
    ['recordings', 'one', deviceId, 'timeline', widthMs, index] as const,
  day: (deviceId: string, timeZone: string, date: string) =>
    ['recordings', 'one', deviceId, 'day', timeZone, date] as const,
  dates: (deviceId: string, timeZone: string, from: string, to: string) =>
    ['recordings', 'one', deviceId, 'dates', timeZone, from, to] as const,
  segments: (deviceId: string, timeZone: string, date: string) =>
    ['recordings', 'one', deviceId, 'segments', timeZone, date] as const,
  coverage: (deviceId: string | null, query: object) => ['recordings', 'coverage', deviceId, query] as const,
};
