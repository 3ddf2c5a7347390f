// Keeps a canvas at the size and pixel ratio of the screen, and redraws it only after changes.
import { useEffect, useEffectEvent, useState, type RefObject } from 'react';
import { drawTimeline, fitCanvas, type Scene } from './drawTimeline';
import { readPalette, watchColorScheme, type Palette } from './palette';

interface Box {
  width: number;
  height: number;
  pixelRatio: number;
}

/** Returns the canvas's width in CSS pixels. */
export function useTimelineCanvas(canvas: RefObject<HTMLCanvasElement | null>, scene: Scene): number {
  const [box, setBox] = useState<Box>({ width: 0, height: 0, pixelRatio: 1 });
  const [palette, setPalette] = useState<Palette | null>(null);

  useEffect(() => {
    const element = canvas.current;
    if (!element) return undefined;
    const measure = () => {
      const { width, height } = element.getBoundingClientRect();
      setBox({ width, height, pixelRatio: window.devicePixelRatio || 1 });
    };
    const readColors = () => setPalette(readPalette(element));
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    // Another screen or the browser's zoom changes the pixel ratio without changing the size.
    window.addEventListener('resize', measure);
    const unwatch = watchColorScheme(readColors);
    const first = requestAnimationFrame(() => {
      measure();
      readColors();
    });
    return () => {
      cancelAnimationFrame(first);
      observer.disconnect();
      window.removeEventListener('resize', measure);
      unwatch();
    };
  }, [canvas]);

  const draw = useEffectEvent(() => {
    const context = canvas.current?.getContext('2d');
    if (!context || !palette || box.width === 0) return;
    const surface = { context, palette, ...box };
    fitCanvas(surface);
    drawTimeline(scene, surface);
  });

  const { view, data, lanes, nowMs, playheadMs, hoverMs, marked, timeZone } = scene;
  useEffect(() => {
    const frame = requestAnimationFrame(draw);
    return () => cancelAnimationFrame(frame);
  }, [view, data, lanes, nowMs, playheadMs, hoverMs, marked, timeZone, box, palette]);

  return box.width;
}
