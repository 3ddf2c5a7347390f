// The ZIP archive follows the format: checksums, sizes and offsets.
import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { buildSnapshot } from '../../test/snapshotFactories';
import { archiveNames } from './useSnapshotArchive';
import { buildZip } from './zipArchive';

const bytesOf = (text: string) => new TextEncoder().encode(text);

test('the checksum is the CRC-32 of the format', async () => {
  const zip = new DataView(
    await buildZip([{ name: 'a.jpg', bytes: bytesOf('123456789'), modifiedMs: 0 }]).arrayBuffer(),
  );
  expect(zip.getUint32(14, true)).toBe(0xcbf43926);
});

test('files are stored uncompressed, with local date and time, from 1980 on', async () => {
  const headerOf = async (at: Date) => {
    const file = { name: 'a.jpg', bytes: bytesOf('aaaaaaaaaaaaaaaa'), modifiedMs: at.getTime() };
    const zip = new DataView(await buildZip([file]).arrayBuffer());
    return [8, 10, 12].map((offset) => zip.getUint16(offset, true));
  };
  const time = (18 << 11) | (5 << 5) | (7 >> 1);
  expect(await headerOf(new Date(2026, 10, 22, 18, 5, 7))).toEqual([0, time, (46 << 9) | (11 << 5) | 22]);
  expect(await headerOf(new Date(1970, 2, 1, 18, 5, 7))).toEqual([0, time, (3 << 5) | 1]);
});

test('each entry of the directory points at its file', async () => {
  const files = [
    { name: 'Tür 1.jpg', bytes: bytesOf('first'), modifiedMs: Date.parse('2026-03-01T10:00:00Z') },
    { name: 'b.jpg', bytes: bytesOf('the second'), modifiedMs: 0 },
  ];
  const zip = new DataView(await buildZip(files).arrayBuffer());
  const end = zip.byteLength - 22;
  expect(zip.getUint32(end, true)).toBe(0x06054b50);
  expect(zip.getUint16(end + 10, true)).toBe(2);
  let entry = zip.getUint32(end + 16, true);
  for (const { name, bytes } of files) {
    expect(zip.getUint32(entry, true)).toBe(0x02014b50);
    const file = zip.getUint32(entry + 42, true);
    expect(zip.getUint32(file, true)).toBe(0x04034b50);
    expect(zip.getUint32(file + 14, true)).toBe(crc32(bytes));
    const nameLength = zip.getUint16(file + 26, true);
    const text = new TextDecoder().decode(new Uint8Array(zip.buffer, file + 30, nameLength + bytes.length));
    expect(text).toBe(name + new TextDecoder().decode(bytes));
    entry += 46 + nameLength;
  }
  expect(entry).toBe(end);
});

test('names contain camera and time, are unique, and are valid on every system', () => {
  const at = '2026-03-01T10:00:00Z';
  const snapshots = [
    buildSnapshot({ at }),
    buildSnapshot({ at }),
    buildSnapshot({ at, device_name: 'Gate: A/B' }),
    buildSnapshot({ at, device_name: '../..\\Up\u202egpj' }),
  ];
  expect(archiveNames(snapshots, 'Europe/Berlin')).toEqual([
    'Main gate 2026-03-01 11.00.00.jpg',
    'Main gate 2026-03-01 11.00.00 (2).jpg',
    'Gate_ A_B 2026-03-01 11.00.00.jpg',
    'Upgpj 2026-03-01 11.00.00.jpg',
  ]);
});
