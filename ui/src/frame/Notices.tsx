// Where it is said what was done: in a corner of the page, or above a player that fills the screen.
import { Notifications } from '@mantine/notifications';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';

export function Notices() {
  const portal = useFullscreenTarget();
  // Begun anew, for what is drawn elsewhere does not move. Full screen, the lower edge belongs to the player's controls.
  return portal.target ? (
    <Notifications key="player" position="top-right" limit={4} portalProps={portal} />
  ) : (
    <Notifications key="page" position="bottom-right" limit={4} />
  );
}
