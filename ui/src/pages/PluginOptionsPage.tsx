// The options of a plugin for all cameras, for those with a tag, or for one camera; nobody's changes are overwritten unasked.
import { Skeleton, Stack, Text } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from 'react-router';
import { ApiError } from '../api/http';
import { optionKeys, readOptions, replaceOptions, type OptionsPlace, type OptionValues } from '../api/pluginOptions';
import { useDevice } from '../devices/useDevice';
import { describeChanges } from '../options/optionChanges';
import { OptionsForm } from '../options/OptionsForm';
import { placeNoun, pluginTitle } from '../options/optionTexts';
import { PluginAbout } from '../options/PluginAbout';
import { TagOptions } from '../options/TagOptions';
import { useOptionsToEdit } from '../options/useOptionsToEdit';
import { Failure } from '../widgets/Failure';
import { PageHeader } from '../widgets/PageHeader';
import { useVersionedSave } from '../widgets/useVersionedSave';
import { NotFoundPage } from './NotFoundPage';
import classes from './PluginOptionsPage.module.css';

function backOf({ plugin, deviceId, tag }: OptionsPlace, cameraName: string | undefined) {
  if (deviceId !== undefined) return { to: `/devices/${deviceId}`, label: cameraName ?? 'Camera' };
  if (tag !== undefined) return { to: `/plugins/${encodeURIComponent(plugin)}`, label: pluginTitle(plugin) };
  return { to: '/health', label: 'Health' };
}

function Options({ place, cameraName }: { place: OptionsPlace; cameraName?: string | undefined }) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data, error, refetch } = useOptionsToEdit(place);
  const back = backOf(place, cameraName);
  const leave = () => void navigate(back.to);
  const title = pluginTitle(place.plugin);
  const { notice, submit } = useVersionedSave<OptionValues>({
    noun: 'set of options',
    save: async (values, etag) => {
      await replaceOptions(place, values, etag);
      void client.invalidateQueries({ queryKey: optionKeys.all });
      notifications.show({ message: `The options of “${title}” for ${placeNoun(place)} were saved.` });
      leave();
    },
    onReload: () => void refetch(),
    failureTitle: 'The options were not saved',
    readChanges: async () => (data ? describeChanges(data.options, (await readOptions(place)).options) : []),
  });

  if (error instanceof ApiError && error.status === 404) return <NotFoundPage />;
  return (
    <>
      <PageHeader title={`${title} for ${cameraName ?? placeNoun(place)}`} back={back}>
        {data?.options.changed_by && (
          <Text size="sm" c="dimmed">
            Last changed by {data.options.changed_by}
          </Text>
        )}
      </PageHeader>
      {error && !data && (
        <Failure title="The options could not be loaded" error={error} onRetry={() => void refetch()} />
      )}
      {!data && !error && <Skeleton height={320} maw={880} radius="md" />}
      {data && (
        <div className={classes.columns}>
          <OptionsForm
            key={data.etag ?? place.plugin}
            options={data.options}
            notice={notice}
            onSubmit={(values) => submit(values, data.etag)}
            onCancel={leave}
          />
          <Stack gap="md" component="aside" aria-label="About the options">
            <PluginAbout place={place} />
            {data.options.level === 'installation' &&
              Object.values(data.options.schema.properties).some((field) => field['x-scope'] === 'device') && (
                <TagOptions plugin={place.plugin} tags={data.options.tags} />
              )}
          </Stack>
        </div>
      )}
    </>
  );
}

function DeviceOptions({ plugin, deviceId }: { plugin: string; deviceId: string }) {
  const device = useDevice(deviceId);
  if (device.error instanceof ApiError && device.error.status === 404) return <NotFoundPage isCamera />;
  return <Options place={{ plugin, deviceId }} cameraName={device.data?.device.name} />;
}

export function PluginOptionsPage() {
  const { id, name = '', tag } = useParams();
  if (id !== undefined) return <DeviceOptions key={`${id} ${name}`} plugin={name} deviceId={id} />;
  return <Options key={`${name} ${tag ?? ''}`} place={{ plugin: name, tag }} />;
}
