// The tags of snapshots and bookmarks.
import { request } from './http';
import { readPage } from './pagination';

export type Tagged = 'snapshots' | 'bookmarks';

interface TagCount {
  tag: string;
  count: number;
}

const PAGE_SIZE = 200;
const MAX_PAGES = 10;

/** All tags in use, sorted by name; of more than two thousand, the most used ones. */
export async function listTags(of: Tagged, signal?: AbortSignal): Promise<string[]> {
  const tags: string[] = [];
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const { items, total } = readPage(
      await request<TagCount[]>(`/${of}/tags`, { query: { page, page_size: PAGE_SIZE }, signal }),
    );
    tags.push(...items.map(({ tag }) => tag));
    if (items.length === 0 || tags.length >= total) break;
  }
  return [...new Set(tags)].sort((a, b) => a.localeCompare(b));
}
