// Addresses for showing this camera elsewhere: this page with autoplay, and WHEP for any standard player.
import { Button, Stack, Text } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { requestViewer } from '../api/streams';
import { CopyField } from '../widgets/CopyField';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';

export function EmbedInfo({ deviceId }: { deviceId: string }) {
  const grant = useMutation({ mutationFn: () => requestViewer(deviceId) });
  const origin = window.location.origin;
  return (
    <Panel title="Embed">
      <Stack gap="sm">
        <CopyField label="This page with autoplay" value={`${origin}/devices/${deviceId}?autoplay=1`} />
        {grant.data ? (
          <>
            <CopyField label="WHEP address" value={grant.data.whep_url} />
            <CopyField
              label="Bearer token"
              description="Valid for one minute to connect; an established connection stays open."
              value={grant.data.token}
            />
          </>
        ) : (
          <>
            <Text size="sm" c="dimmed">
              Any WHEP player (OBS, GStreamer, your own web page) can show this camera. It needs the address and a token
              from <code>POST /api/v1/streams/{'{id}'}/viewers</code>.
            </Text>
            <Button
              variant="default"
              size="xs"
              style={{ alignSelf: 'flex-start' }}
              loading={grant.isPending}
              onClick={() => grant.mutate()}
            >
              Get WHEP address and token
            </Button>
          </>
        )}
        {grant.error && <Failure title="The token was not issued" error={grant.error} />}
      </Stack>
    </Panel>
  );
}
