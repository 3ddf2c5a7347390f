// The picture below polygons: the newest one of the camera, or a grid that says why there is none.
import { usePoster } from '../snapshots/usePoster';
import { BlobImage } from '../widgets/BlobImage';
import classes from './Polygons.module.css';

const WIDTH = 1280;

function NoPicture({ title, children }: { title: string; children: string }) {
  return (
    <div className={classes.none}>
      <strong>{title}</strong>
      <span>{children}</span>
    </div>
  );
}

function CameraPicture({ deviceId }: { deviceId: string }) {
  const { picture, isPending } = usePoster(deviceId, WIDTH, true);
  if (picture) return <BlobImage bytes={picture} className={classes.picture} alt="Newest picture of the camera" />;
  if (isPending) return <div className={classes.none} aria-busy />;
  return (
    <NoPicture title="There is no picture of this camera yet">
      It appears here once the camera has sent video. You can draw already: positions are parts of the picture.
    </NoPicture>
  );
}

/** Without a camera the polygons are those of several cameras. */
export function PolygonPicture({ deviceId }: { deviceId: string | undefined }) {
  if (deviceId !== undefined) return <CameraPicture deviceId={deviceId} />;
  return (
    <NoPicture title="These are drawn for several cameras">
      Open the options of one camera to draw over its picture.
    </NoPicture>
  );
}
