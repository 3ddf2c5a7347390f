// The statistics of a video track, as a probe and a running stream show them.
import type { VideoInfo } from '../api/types';
import { formatBitrate, formatCodec, formatFps, formatSeconds, formatSize, NOTHING } from '../formatting/statistics';

export interface VideoRates {
  fps: number | null;
  bitrateKbps: number | null;
}

/** The rows common to a probe and a stream; the rates come from the probe or from the running stream. */
export function videoRows(video: VideoInfo | null, { fps, bitrateKbps }: VideoRates): [string, string][] {
  const hasBFrames = video?.has_b_frames ?? null;
  return [
    ['Video', video ? `${formatCodec(video.codec)}${video.profile ? ` ${video.profile}` : ''}` : NOTHING],
    ['Resolution', formatSize(video)],
    ['Frame rate', formatFps(fps)],
    ['Bitrate', formatBitrate(bitrateKbps)],
    ['Key frame every', formatSeconds(video?.key_frame_interval_seconds)],
    ['B-frames', hasBFrames === null ? NOTHING : hasBFrames ? 'Yes' : 'No'],
  ];
}
