// A ZIP archive of compressed files: stored, not compressed again.
import { zipSync, type Zippable } from 'fflate';

export interface ZipEntry {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Milliseconds since 1970; written in local time, the only time of the format. */
  modifiedMs: number;
}

/** The format starts with the year 1980, fflate ends with 2099. */
function dateOf(ms: number): Date {
  const at = new Date(ms);
  at.setFullYear(Math.min(Math.max(at.getFullYear(), 1980), 2099));
  return at;
}

/** Names must be unique. */
export function buildZip(entries: ZipEntry[]): Blob {
  const files: Zippable = {};
  for (const { name, bytes, modifiedMs } of entries) files[name] = [bytes, { mtime: dateOf(modifiedMs) }];
  return new Blob([zipSync(files, { level: 0 })], { type: 'application/zip' });
}
