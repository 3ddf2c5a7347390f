// How to show this camera elsewhere: the page's own address, and WHEP for any standard player.
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
    <Panel title="Show it elsewhere">
      <Stack gap="sm">
        <CopyField label="This player, starting by itself" value={`${origin}/devices/${deviceId}?autoplay=1`} />
        {grant.data ? (
          <>
            <CopyField label="WHEP address" value={grant.data.whep_url} />
            <CopyField
              label="Bearer token"
              description="Good for connecting within a minute; the view lives on."
              value={grant.data.token}
            />
          </>
        ) : (
          <>
            <Text size="sm" c="dimmed">
              Any WHEP player (OBS, GStreamer, a web page of yours) can show this camera. It needs the address and a
              token from <code>POST /api/v1/streams/{'{id}'}/viewers</code>.
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
        {grant.error && <Failure title="No token was given" error={grant.error} />}
      </Stack>
    </Panel>
  );
}
