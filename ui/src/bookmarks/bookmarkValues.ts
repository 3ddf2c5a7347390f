// Form values of a bookmark: validation, conversion to the API, and the clip lengths used last.
import type { Bookmark, BookmarkFields } from '../api/bookmarks';
import { sentence } from '../formatting/sentence';

export interface BookmarkValues {
  title: string;
  note: string;
  tags: string[];
  /** An empty number field holds an empty string. */
  before_seconds: number | string;
  after_seconds: number | string;
}

export const MAX_SECONDS = 300;
/** Title of a bookmark that has not been named yet. */
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

/** Changes of title, note or tags alone keep the clip. */
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
  title: (title: string) => (title.trim() ? null : 'Enter a title'),
  before_seconds: (value: number | string, values: BookmarkValues) =>
    seconds(value) ??
    (Number(value) + Number(values.after_seconds) > 0 ? null : 'Enter a length before or after the moment'),
  after_seconds: seconds,
};

const FIELD_NAMES: Record<string, string> = {
  title: 'the title',
  note: 'the note',
  tags: 'the tags',
  before_seconds: 'the length before',
  after_seconds: 'the length after',
};

/** The server's errors by form field; errors of other fields are left out. */
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

/** The clip lengths used last. A bookmark is created before its dialog asks for lengths, so it starts with these. */
export function recallLengths(): { before: number; after: number } {
  try {
    const { before, after } = JSON.parse(localStorage.getItem(LENGTHS_KEY) ?? '') as { before: number; after: number };
    const isValid =
      [before, after].every((value) => Number.isFinite(value) && value >= 0 && value <= MAX_SECONDS) &&
      before + after > 0;
    return isValid ? { before, after } : FIRST_LENGTHS;
  } catch {
    return FIRST_LENGTHS;
  }
}

export function rememberLengths(before: number, after: number): void {
  try {
    localStorage.setItem(LENGTHS_KEY, JSON.stringify({ before, after }));
  } catch {
    // No storage in this browser: the default lengths apply.
  }
}
