// Tests a camera's address: the server connects to it once and reports its tracks.
import { Button, Loader, Stack, Text } from '@mantine/core';
import { IconPlugConnected } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { probeSource } from '../api/devices';
import type { ProbeRequest } from '../api/types';
import { sourceOf, trustOf, type DeviceFormState } from './deviceValues';
import { Failure } from '../widgets/Failure';
import { Panel } from '../widgets/Panel';
import { ProbeReport } from './ProbeReport';

export function ProbePanel({ form, deviceId }: { form: DeviceFormState; deviceId: string | undefined }) {
  const probe = useMutation({ mutationFn: (body: ProbeRequest) => probeSource(body) });
  const { transport } = form.values;
  const url = sourceOf(form.values, 'source_url');
  const trust = trustOf(form.values);
  const asked = { source_url: url, transport, ...trust };
  const isStale =
    probe.variables &&
    Object.entries(asked).some(([name, value]) => probe.variables[name as keyof ProbeRequest] !== value);

  const run = (isNow = false) => {
    for (const field of ['source_url', 'password', 'tls_fingerprint'] as const) {
      if (form.validateField(field).hasError) {
        document.querySelector<HTMLElement>(`[data-path="${field}"]`)?.focus();
        return;
      }
    }
    probe.mutate({
      ...asked,
      ...(isNow ? { try_now: true } : {}),
      ...(deviceId && url.includes('***') ? { device_id: deviceId } : {}),
    });
  };

  return (
    <Panel title="Test the address">
      <Stack gap="sm" aria-live="polite">
        {!probe.data && !probe.error && !probe.isPending && (
          <Text size="sm" c="dimmed">
            Connects to the camera once and shows its picture, video and audio, with hints about latency and CPU load.
            Nothing is saved.
          </Text>
        )}
        <Button
          variant="light"
          leftSection={<IconPlugConnected size={17} stroke={1.7} />}
          loading={probe.isPending}
          onClick={() => run()}
          style={{ alignSelf: 'flex-start' }}
        >
          {probe.data || probe.error ? 'Test again' : 'Test'}
        </Button>
        {probe.isPending && (
          <Text size="sm" c="dimmed">
            <Loader size={12} mr={8} />
            Waiting for the camera. Without a response this takes some seconds.
          </Text>
        )}
        {probe.error && !probe.isPending && <Failure title="The address was not tested" error={probe.error} />}
        {probe.data && !probe.isPending && (
          <>
            {isStale && (
              <Text size="xs" c="var(--vas-warn)">
                The address or its settings have changed since this test.
              </Text>
            )}
            <ProbeReport
              result={probe.data}
              isKnown={deviceId !== undefined}
              trusted={trust.tls_trust === 'pinned' ? trust.tls_fingerprint : null}
              onTrust={(fingerprint) => form.setValues({ tls_trust: 'pinned', tls_fingerprint: fingerprint })}
              onTryNow={() => run(true)}
            />
          </>
        )}
      </Stack>
    </Panel>
  );
}
