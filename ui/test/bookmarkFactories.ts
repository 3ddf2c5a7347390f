// Bookmarks and snapshot schedules for tests.
import type { Bookmark, BookmarkClip } from '../src/api/bookmarks';
import type { Schedule } from '../src/api/schedules';

export function buildClip(change: Partial<BookmarkClip> = {}): BookmarkClip {
  return {
    state: 'ready',
    progress: 1,
    job_id: null,
    reason: null,
    url: '/api/v1/bookmarks/b1/clip.mp4',
    start: '2026-03-01T11:59:55Z',
    end: '2026-03-01T12:00:05Z',
    duration_seconds: 10,
    size: 4_800_000,
    codec: 'h264',
    notes: [],
    ...change,
  };
}

export function buildBookmark(change: Partial<Bookmark> = {}): Bookmark {
  return {
    id: 'b1',
    device_id: 'd1',
    device_name: 'Main gate',
    at: '2026-03-01T12:00:00Z',
    title: 'Delivery',
    note: 'left at the gate',
    tags: ['parcel'],
    before_seconds: 5,
    after_seconds: 5,
    clip: buildClip(),
    poster_url: '/api/v1/bookmarks/b1/poster.jpg',
    version: 3,
    created_by: 'operator',
    created_at: '2026-03-01T12:00:07Z',
    updated_at: '2026-03-01T12:00:07Z',
    ...change,
  };
}

export function buildSchedule(change: Partial<Schedule> = {}): Schedule {
  return {
    id: 7,
    device_id: 'd1',
    device_name: 'Main gate',
    name: 'Building site',
    enabled: true,
    every_seconds: 600,
    times: [],
    weekdays: [],
    time_zone: 'Europe/Berlin',
    tags: ['site'],
    keep_days: 30,
    keep_count: null,
    next_at: '2026-03-01T12:10:00Z',
    last_at: '2026-03-01T12:00:00Z',
    last_taken_at: '2026-03-01T12:00:00Z',
    reason: null,
    ...change,
  };
}
