// An archive that others can read: sums, sizes and places are where the format has them.
import { expect, test } from 'vitest';
import { buildSnapshot } from '../../test/snapshotFactories';
import { archiveNames } from './useSnapshotArchive';
import { buildZip, crc32 } from './zipArchive';

const bytesOf = (text: string) => new TextEncoder().encode(text);

test('the sum is that of the format', () => {
  expect(crc32(bytesOf('123456789'))).toBe(0xcbf43926);
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

test('names tell camera and time, differ from each other, and suit every system', () => {
  const at = '2026-03-01T10:00:00Z';
  const snapshots = [buildSnapshot({ at }), buildSnapshot({ at }), buildSnapshot({ at, device_name: 'Gate: A/B' })];
  expect(archiveNames(snapshots, 'Europe/Berlin')).toEqual([
    'Main gate 2026-03-01 11.00.00.jpg',
    'Main gate 2026-03-01 11.00.00 (2).jpg',
    'Gate_ A_B 2026-03-01 11.00.00.jpg',
  ]);
});
