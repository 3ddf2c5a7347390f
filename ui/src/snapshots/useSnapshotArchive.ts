// Downloads several snapshots as one archive created in the browser.
import { useState } from 'react';
import { fetchSnapshotImage, type Snapshot } from '../api/snapshots';
import { downloadFile } from './downloadFile';
import type { ZipEntry } from './zipArchive';
import { wallAt } from '../formatting/timeZone';
import { notifyFailure } from '../widgets/notifyFailure';

const MAX_PARALLEL = 3;

function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  downloadFile(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** "Main gate 2026-11-22 18.05.07.jpg", numbered if names would be equal. */
export function archiveNames(snapshots: Snapshot[], timeZone: string): string[] {
  const counts = new Map<string, number>();
  return snapshots.map(({ device_name, at }) => {
    const wall = new Date(wallAt(timeZone, Date.parse(at))).toISOString();
    const device = device_name
      .replace(/\p{Bidi_Control}/gu, '')
      .replace(/^[ ./\\]+/, '')
      .replace(/[\\/:*?"<>|\p{Cc}]/gu, '_')
      .slice(0, 80)
      .trim();
    const name = `${device} ${wall.slice(0, 10)} ${wall.slice(11, 19).replaceAll(':', '.')}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return `${name}${count > 1 ? ` (${count})` : ''}.jpg`;
  });
}

export function useSnapshotArchive(timeZone: string) {
  const [packed, setPacked] = useState<number | null>(null);

  const download = async (snapshots: Snapshot[]) => {
    setPacked(0);
    const names = archiveNames(snapshots, timeZone);
    const entries = new Array<ZipEntry | undefined>(snapshots.length);
    let next = 0;
    const read = async () => {
      for (let index = next++; index < snapshots.length; index = next++) {
        const snapshot = snapshots[index];
        if (!snapshot) return;
        const picture = await fetchSnapshotImage(snapshot);
        entries[index] = {
          name: names[index] ?? snapshot.id,
          bytes: new Uint8Array(await picture.arrayBuffer()),
          modifiedMs: Date.parse(snapshot.at),
        };
        setPacked((count) => (count ?? 0) + 1);
      }
    };
    try {
      // The library is loaded on first use.
      const { buildZip } = await import('./zipArchive');
      await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, snapshots.length) }, read));
      save(
        buildZip(entries.filter((entry) => entry !== undefined)),
        `snapshots ${new Date().toISOString().slice(0, 10)}.zip`,
      );
    } catch (error) {
      notifyFailure('The snapshots were not downloaded', error as Error);
    } finally {
      setPacked(null);
    }
  };

  return { packed, download };
}
