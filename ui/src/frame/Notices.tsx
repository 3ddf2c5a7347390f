// The notifications: in a corner of the page, or on top of a full-screen player.
import { Notifications } from '@mantine/notifications';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';

export function Notices() {
  const portal = useFullscreenTarget();
  // The keys force a remount, because a portal cannot move. In full screen the lower edge belongs to the player's controls.
  return portal.target ? (
    <Notifications key="player" position="top-right" limit={4} portalProps={portal} />
  ) : (
    <Notifications key="page" position="bottom-right" limit={4} />
  );
}
