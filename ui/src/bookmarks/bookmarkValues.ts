// A bookmark as its form holds it: what is wrong with it, what is sent, and how long a clip somebody likes.
import type { Bookmark, BookmarkFields } from '../api/bookmarks';
import { sentence } from '../formatting/sentence';

export interface BookmarkValues {
  title: string;
  note: string;
  tags: string[];
  /** Numbers are empty text while somebody is typing. */
  before_seconds: number | string;
  after_seconds: number | string;
}

export const MAX_SECONDS = 300;
/** Of a bookmark that nobody has named yet. */
export const FIRST_TITLE = 'Bookmark';

export const bookmarkValuesOf = ({ title, note, tags, before_seconds, after_seconds }: Bookmark): BookmarkValues => ({
  title,
  note,
  tags,
  before_seconds,
  after_seconds,
});

export const bookmarkFieldsOf = (values: BookmarkValues, at: string): BookmarkFields => ({
  title: values.title.trim(),
  note: values.note.trim(),
  tags: values.tags,
  at,
  before_seconds: Number(values.before_seconds),
  after_seconds: Number(values.after_seconds),
});

/** Title, note or tags alone leave the clip as it is. */
export const needsNewClip = (values: BookmarkValues, bookmark: Bookmark): boolean =>
  Number(values.before_seconds) !== bookmark.before_seconds || Number(values.after_seconds) !== bookmark.after_seconds;

export function isChanged(values: BookmarkValues, bookmark: Bookmark): boolean {
  const { title, note, tags } = bookmarkFieldsOf(values, bookmark.at);
  return (
    title !== bookmark.title ||
    note !== bookmark.note ||
    tags.join('\n') !== bookmark.tags.join('\n') ||
    needsNewClip(values, bookmark)
  );
}

const seconds = (value: number | string): string | null => {
  const count = Number(value);
  return value !== '' && Number.isFinite(count) && count >= 0 && count <= MAX_SECONDS
    ? null
    : `Enter seconds from 0 to ${MAX_SECONDS}`;
};

export const bookmarkRules = {
  title: (title: string) => (title.trim() ? null : 'Say in a word or two what there is to see'),
  before_seconds: (value: number | string, values: BookmarkValues) =>
    seconds(value) ??
    (Number(value) + Number(values.after_seconds) > 0 ? null : 'A clip needs at least a second, before or after'),
  after_seconds: seconds,
};

const FIELD_NAMES: Record<string, string> = {
  title: 'the title',
  note: 'the note',
  tags: 'the tags',
  before_seconds: 'the time before',
  after_seconds: 'the time after',
};

/** What the server found, by the fields of the form; what belongs to none is left out. */
export function placeErrors(errors: Record<string, string>): Record<string, string> {
  const placed = Object.entries(errors).filter(([field]) => field in FIELD_NAMES);
  return Object.fromEntries(
    placed.map(([field, text]) => [
      field,
      sentence(text.replace(/^'(\w+)'/, (quoted, name: string) => FIELD_NAMES[name] ?? quoted)),
    ]),
  );
}

const LENGTHS_KEY = 'vas.bookmark-lengths';
const FIRST_LENGTHS = { before: 5, after: 5 };

/** How much somebody last wanted before and after the moment; a clip of live video begins at once, so it is asked afterwards. */
export function recallLengths(): { before: number; after: number } {
  try {
    const { before, after } = JSON.parse(localStorage.getItem(LENGTHS_KEY) ?? '') as { before: number; after: number };
    const isSound =
      [before, after].every((value) => Number.isFinite(value) && value >= 0 && value <= MAX_SECONDS) &&
      before + after > 0;
    return isSound ? { before, after } : FIRST_LENGTHS;
  } catch {
    return FIRST_LENGTHS;
  }
}

export function rememberLengths(before: number, after: number): void {
  try {
    localStorage.setItem(LENGTHS_KEY, JSON.stringify({ before, after }));
  } catch {
    // A browser that keeps nothing: the usual lengths then.
  }
}
