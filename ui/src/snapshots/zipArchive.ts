// A ZIP archive of files that are small already: stored, not compressed.
import { zipSync, type Zippable } from 'fflate';

export interface ZipEntry {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Milliseconds since 1970; told in local time, as the format has no other. */
  modifiedMs: number;
}

/** The format's years begin with 1980 and fflate's end with 2099. */
function dateOf(ms: number): Date {
  const at = new Date(ms);
  at.setFullYear(Math.min(Math.max(at.getFullYear(), 1980), 2099));
  return at;
}

/** Names must differ from each other. */
export function buildZip(entries: ZipEntry[]): Blob {
  const files: Zippable = {};
  for (const { name, bytes, modifiedMs } of entries) files[name] = [bytes, { mtime: dateOf(modifiedMs) }];
  return new Blob([zipSync(files, { level: 0 })], { type: 'application/zip' });
}
