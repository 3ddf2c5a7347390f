// A ZIP archive of files that are small already (PKWARE's APPNOTE 6.3: stored, not compressed).

export interface ZipEntry {
  name: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Milliseconds since 1970; told in local time, as the format has no other. */
  modifiedMs: number;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = (sum >>> 8) ^ (table[(sum ^ byte) & 0xff] as number);
  return (sum ^ 0xffffffff) >>> 0;
}

/** Two seconds a step, from 1980 on. */
function dosTime(ms: number): [time: number, date: number] {
  const at = new Date(ms);
  const time = (at.getHours() << 11) | (at.getMinutes() << 5) | (at.getSeconds() >> 1);
  return [time, (Math.max(0, at.getFullYear() - 1980) << 9) | ((at.getMonth() + 1) << 5) | at.getDate()];
}

/** Little-endian numbers: [size in bytes, value]. */
function pack(fields: [2 | 4, number][]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

const VERSION = 20;
const NAMES_ARE_UTF8 = 0x0800;

/** Names must differ from each other. */
export function buildZip(entries: ZipEntry[]): Blob {
  const files: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  const encoder = new TextEncoder();
  let offset = 0;
  let directorySize = 0;
  for (const { name, bytes, modifiedMs } of entries) {
    const path = encoder.encode(name);
    const [time, date] = dosTime(modifiedMs);
    const facts: [2 | 4, number][] = [
      [2, VERSION],
      [2, NAMES_ARE_UTF8],
      [2, 0],
      [2, time],
      [2, date],
      [4, crc32(bytes)],
      [4, bytes.length],
      [4, bytes.length],
      [2, path.length],
      [2, 0],
    ];
    const local = pack([[4, 0x04034b50], ...facts]);
    const central = pack([[4, 0x02014b50], [2, VERSION], ...facts, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]]);
    files.push(local, path, bytes);
    directory.push(central, path);
    offset += local.length + path.length + bytes.length;
    directorySize += central.length + path.length;
  }
  const end = pack([
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, entries.length],
    [2, entries.length],
    [4, directorySize],
    [4, offset],
    [2, 0],
  ]);
  return new Blob([...files, ...directory, end], { type: 'application/zip' });
}
