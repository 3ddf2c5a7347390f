// The query keys of bookmarks and schedules.

export const bookmarkKeys = {
  all: ['bookmarks'] as const,
  list: (query: object) => ['bookmarks', 'list', query] as const,
  one: (id: string) => ['bookmarks', 'one', id] as const,
  ofTimeline: (deviceId: string, start: string, end: string) =>
    ['bookmarks', 'timeline', deviceId, start, end] as const,
};

export const scheduleKeys = {
  all: ['schedules'] as const,
  ofDevice: (deviceId: string) => ['schedules', deviceId] as const,
};
