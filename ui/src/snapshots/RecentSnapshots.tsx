// A camera's newest snapshots, with links to all of them, its schedules and its bookmarks.
import { Button, Group, Text } from '@mantine/core';
import { IconBookmark, IconCalendarTime, IconPhoto } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import { later } from '../frame/later';
import { useRecentSnapshots } from './useSnapshots';
import { useShownZone } from '../widgets/useShownZone';
import { Panel } from '../widgets/Panel';
import { deviceBookmarksAddress, schedulesAddress } from '../addresses/bookmarkAddresses';
import { pictureName } from './snapshotFormatting';
import classes from './RecentSnapshots.module.css';

const SnapshotViewer = later(() => import('./SnapshotViewer').then((module) => module.SnapshotViewer));

const SHOWN = 6;

export function RecentSnapshots({ deviceId }: { deviceId: string }) {
  const { data } = useRecentSnapshots(deviceId, SHOWN);
  const [openId, setOpenId] = useState<string | null>(null);
  const snapshots = data?.items ?? [];
  const timeZone = useShownZone();
  return (
    <Panel title="Snapshots">
      {data?.total === 0 && (
        <Text size="sm" c="dimmed">
          No snapshots yet. Take one with the camera button below the player.
        </Text>
      )}
      {snapshots.length > 0 && (
        <ul className={classes.grid}>
          {snapshots.map((snapshot) => (
            <li key={snapshot.id}>
              <button
                type="button"
                className={classes.open}
                aria-label={pictureName(snapshot, timeZone)}
                onClick={() => setOpenId(snapshot.id)}
              >
                <img className={classes.picture} src={snapshot.thumbnail_url} alt="" loading="lazy" />
              </button>
            </li>
          ))}
        </ul>
      )}
      <Group gap={2} mt="xs" ml={-8}>
        {data && data.total > 0 && (
          <Button
            component={Link}
            to={`/snapshots?device=${encodeURIComponent(deviceId)}`}
            size="compact-sm"
            variant="subtle"
            leftSection={<IconPhoto size={16} stroke={1.7} />}
          >
            All {data.total}
          </Button>
        )}
        <Button
          component={Link}
          to={schedulesAddress(deviceId)}
          size="compact-sm"
          variant="subtle"
          leftSection={<IconCalendarTime size={16} stroke={1.7} />}
        >
          Schedules
        </Button>
        <Button
          component={Link}
          to={deviceBookmarksAddress(deviceId)}
          size="compact-sm"
          variant="subtle"
          leftSection={<IconBookmark size={16} stroke={1.7} />}
        >
          Bookmarks
        </Button>
      </Group>
      {openId && <SnapshotViewer snapshots={snapshots} openId={openId} timeZone={timeZone} onOpen={setOpenId} />}
    </Panel>
  );
}
