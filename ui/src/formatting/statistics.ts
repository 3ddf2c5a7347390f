// Formats statistics with units and few digits, and a dash for unknown values.
import type { AudioInfo, VideoInfo } from '../api/types';

export const NOTHING = '–';

export function formatFps(fps: number | null | undefined): string {
  if (fps === null || fps === undefined) return NOTHING;
  return fps >= 10 ? String(Math.round(fps)) : fps.toFixed(1).replace(/\.0$/, '');
}

export function formatBitrate(kbps: number | null | undefined): string {
  if (kbps === null || kbps === undefined) return NOTHING;
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
}

export function formatMs(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return NOTHING;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return NOTHING;
  return `${Number(seconds.toFixed(2))} s`;
}

const CODEC_NAMES: Record<string, string> = {
  h264: 'H.264',
  hevc: 'H.265',
  h265: 'H.265',
  mjpeg: 'MJPEG',
  mpeg4: 'MPEG-4',
  av1: 'AV1',
  vp8: 'VP8',
  vp9: 'VP9',
  aac: 'AAC',
  opus: 'Opus',
  pcm_alaw: 'G.711 A-law',
  pcm_mulaw: 'G.711 µ-law',
};

export function formatCodec(codec: string | null | undefined): string {
  if (!codec) return NOTHING;
  return CODEC_NAMES[codec.toLowerCase()] ?? codec;
}

export function formatSize(video: Pick<VideoInfo, 'width' | 'height'> | null | undefined): string {
  return video?.width && video.height ? `${video.width} × ${video.height}` : NOTHING;
}

export function formatAudio(audio: AudioInfo | null | undefined): string {
  if (!audio) return 'None';
  const rate = audio.sample_rate ? ` ${Number((audio.sample_rate / 1000).toFixed(1))} kHz` : '';
  const channels =
    audio.channels === 1
      ? ' mono'
      : audio.channels === 2
        ? ' stereo'
        : audio.channels
          ? ` ${audio.channels} channels`
          : '';
  return `${formatCodec(audio.codec)}${rate}${channels}`;
}
