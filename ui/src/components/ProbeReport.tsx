// What a camera's address offers, and what to know about it before saving.
import { Alert, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle, IconPlugConnectedX } from '@tabler/icons-react';
import type { ProbeResult } from '../api/types';
import { FigureList } from './FigureList';
import { formatAudio, formatBitrate, formatCodec, formatFps, formatMs, formatSeconds, formatSize, NOTHING } from './figures';
import { sentence } from './sentence';

export function ProbeReport({ result }: { result: ProbeResult }) {
  const { video, audio, reason } = result;
  if (!result.reachable || !video) {
    return (
      <Alert color="red" variant="light" icon={<IconPlugConnectedX />} title={result.reachable ? 'Connected, but there is no video' : 'No connection'}>
        {reason ? (
          <>
            {sentence(reason.message)} {reason.remedy && sentence(reason.remedy)}
          </>
        ) : (
          'The camera gave no reason.'
        )}
        <Text size="xs" mt={4} c="dimmed">
          After {formatMs(result.elapsed_ms)}
        </Text>
      </Alert>
    );
  }
  return (
    <Stack gap="sm">
      <Alert color="teal" variant="light" icon={<IconCircleCheck />} title="The camera sends video">
        First picture after {formatMs(result.time_to_first_frame_ms ?? result.elapsed_ms)}.
      </Alert>
      <FigureList
        rows={[
          ['Video', `${formatCodec(video.codec)}${video.profile ? ` ${video.profile}` : ''}`],
          ['Resolution', formatSize(video)],
          ['Frames a second', formatFps(video.fps)],
          ['Bitrate', formatBitrate(video.bitrate_kbps)],
          ['B-frames', video.has_b_frames === null ? NOTHING : video.has_b_frames ? 'Yes' : 'No'],
          ['Key frame every', formatSeconds(video.key_frame_interval_seconds)],
          ['Pixels', video.pixel_format ?? NOTHING],
          ['Sound', formatAudio(audio)],
          ['Tracks', result.tracks.map((track) => `${track.type} ${formatCodec(track.codec)}`).join(', ') || NOTHING],
        ]}
      />
      {result.advice.map((advice) => (
        <Alert
          key={advice.code}
          color={advice.level === 'warning' ? 'yellow' : 'blue'}
          variant="light"
          icon={advice.level === 'warning' ? <IconAlertTriangle /> : <IconInfoCircle />}
          p="sm"
        >
          {sentence(advice.message)}
        </Alert>
      ))}
    </Stack>
  );
}
