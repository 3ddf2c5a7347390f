// Draws boxes over a video, without a user interface: each frame with the boxes of its capture time.
import type { BoxFeed } from './boxFeeds';
import type { BoxTracks, ShownBox } from './boxTracks';

/** What of a frame's metadata is used (WICG video-rvfc). */
export interface FrameTimes {
  mediaTime: number;
  /** Only of WebRTC. */
  rtpTimestamp?: number;
}

export interface BoxPainterOptions {
  video: HTMLVideoElement;
  layer: HTMLElement;
  tracks: BoxTracks;
  feed: BoxFeed;
  /** The capture time of a frame in milliseconds since 1970; null while it is unknown. */
  momentOf: (frame: FrameTimes) => number | null;
  /** How long objects go on after they were seen last. */
  aheadMs: number;
  /** Class names of a box and of its label. */
  classes: { box: string; label: string };
  describe: (box: ShownBox) => string;
}

/** The place of the picture within an element that shows it whole: there may be bars beside it or above it. */
export function placeOfPicture(
  element: { width: number; height: number },
  picture: { width: number; height: number },
): { left: number; top: number; width: number; height: number } {
  const scale = Math.min(element.width / (picture.width || 1), element.height / (picture.height || 1));
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { left: (element.width - width) / 2, top: (element.height - height) / 2, width, height };
}

interface Drawn {
  box: HTMLElement;
  label: HTMLElement;
  text: string;
}

export class BoxPainter {
  private readonly options: BoxPainterOptions;
  private readonly drawn = new Map<string, Drawn>();
  private readonly resizes = new ResizeObserver(() => this.place());
  private readonly abort = new AbortController();
  private momentMs: number | null = null;
  private request = 0;
  private isClosed = false;

  constructor(options: BoxPainterOptions) {
    this.options = options;
    const { video } = options;
    this.resizes.observe(video);
    for (const name of ['resize', 'loadedmetadata']) {
      video.addEventListener(name, () => this.place(), { signal: this.abort.signal });
    }
    for (const name of ['emptied', 'seeking']) {
      video.addEventListener(name, () => this.forgetMoment(), { signal: this.abort.signal });
    }
    this.place();
    this.next();
  }

  /** Draws again: the boxes of the shown moment may have changed. */
  redraw(): void {
    if (this.isClosed) return;
    const { tracks, aheadMs } = this.options;
    this.draw(this.momentMs === null ? [] : tracks.at(this.momentMs, aheadMs));
  }

  /** May be called twice. */
  close(): void {
    this.isClosed = true;
    this.abort.abort();
    this.resizes.disconnect();
    if ('requestVideoFrameCallback' in this.options.video) this.options.video.cancelVideoFrameCallback?.(this.request);
    else cancelAnimationFrame(this.request);
    this.draw([]);
  }

  private next(): void {
    const { video } = this.options;
    if (this.isClosed) return;
    const show = (frame: FrameTimes) => {
      if (this.isClosed) return;
      this.show(frame);
      this.next();
    };
    // Browsers without it do not tell the time of a frame exactly.
    this.request =
      'requestVideoFrameCallback' in video
        ? video.requestVideoFrameCallback((_, metadata) => show(metadata as FrameTimes))
        : requestAnimationFrame(() => show({ mediaTime: (video as HTMLVideoElement).currentTime }));
  }

  private show(frame: FrameTimes): void {
    const { feed, tracks, momentOf } = this.options;
    const momentMs = momentOf(frame);
    feed.follow(momentMs);
    this.momentMs = momentMs ?? tracks.newestMs;
    this.redraw();
  }

  private forgetMoment(): void {
    this.momentMs = null;
    this.redraw();
  }

  private place(): void {
    const { video, layer } = this.options;
    const { left, top, width, height } = placeOfPicture(
      { width: video.clientWidth, height: video.clientHeight },
      { width: video.videoWidth, height: video.videoHeight },
    );
    Object.assign(layer.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
  }

  private draw(boxes: ShownBox[]): void {
    const keys = new Set(boxes.map(({ key }) => key));
    for (const [key, { box }] of this.drawn) {
      if (keys.has(key)) continue;
      box.remove();
      this.drawn.delete(key);
    }
    for (const shown of boxes) this.drawBox(shown);
  }

  private drawBox(shown: ShownBox): void {
    const { layer, classes, describe } = this.options;
    let drawn = this.drawn.get(shown.key);
    if (!drawn) {
      const box = document.createElement('div');
      const label = document.createElement('span');
      [box.className, label.className] = [classes.box, classes.label];
      box.append(label);
      layer.append(box);
      drawn = { box, label, text: '' };
      this.drawn.set(shown.key, drawn);
    }
    const text = describe(shown);
    if (text !== drawn.text) {
      drawn.text = text;
      drawn.label.textContent = text;
    }
    const { dataset, style } = drawn.box;
    dataset.event = String(shown.isEvent);
    // At the upper edge there is no room for the label above the box.
    dataset.top = String(shown.y < 0.08);
    style.left = `${shown.x * 100}%`;
    style.top = `${shown.y * 100}%`;
    style.width = `${shown.width * 100}%`;
    style.height = `${shown.height * 100}%`;
  }
}
