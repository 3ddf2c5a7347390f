// Details of a snapshot and its actions: note and tags, download, the recording at its moment, delete.
import { ActionIcon, Anchor, Button, Group, Kbd, Menu, Stack, TagsInput, Textarea } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconChevronDown, IconDownload, IconLink, IconMovie, IconTrash } from '@tabler/icons-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Link } from 'react-router';
import { ApiError } from '../api/http';
import { snapshotDownloadUrl, type Snapshot, type SnapshotFormat } from '../api/snapshots';
import { useFullscreenTarget } from '../widgets/useFullscreenTarget';
import { useSnapshotSaving } from './useSnapshot';
import { useTagsInUse } from '../widgets/useTagsInUse';
import { formatMoment } from '../formatting/zonedTimes';
import { formatBytes } from '../formatting/amounts';
import { ConflictNotice } from '../widgets/ConflictNotice';
import { Failure } from '../widgets/Failure';
import { StatisticsList } from '../widgets/StatisticsList';
import { deviceMomentAddress } from '../addresses/recordingAddresses';
import { KIND_STYLES, formatOrigin } from './snapshotFormatting';
import { Timestamp } from '../widgets/Timestamp';
import classes from './SnapshotViewer.module.css';

interface SnapshotDetailsProps {
  snapshot: Snapshot;
  etag: string | null;
  /** The newest version has been read: the fields are editable. */
  isRead: boolean;
  timeZone: string;
  onReload: () => void;
  onDelete: () => void;
}

const FORMATS: { format: SnapshotFormat; description: string }[] = [
  { format: 'jpeg', description: 'JPEG, original' },
  { format: 'png', description: 'PNG, lossless' },
  { format: 'webp', description: 'WebP, smaller' },
];
const KEYS = [
  ['← →', 'Previous, next'],
  ['D', 'Download'],
  ['Del', 'Delete'],
  ['I', 'Details'],
  ['Esc', 'Close'],
] as const;
const MAX_TAGS = 20;

async function copyLink(id: string): Promise<void> {
  const link = `${window.location.origin}/snapshots?snapshot=${encodeURIComponent(id)}`;
  try {
    await navigator.clipboard.writeText(link);
    notifications.show({ message: 'Link copied.' });
  } catch {
    notifications.show({ title: 'The browser does not allow copying', message: link, autoClose: 20_000 });
  }
}

const sameTags = (a: string[], b: string[]) => a.length === b.length && a.every((tag, index) => tag === b[index]);

export function SnapshotDetails({ snapshot, etag, isRead, timeZone, onReload, onDelete }: SnapshotDetailsProps) {
  const { id, device_id: deviceId, device_name: name, at, kind } = snapshot;
  const [note, setNote] = useState(snapshot.note);
  const [tags, setTags] = useState(snapshot.tags);
  const [shownVersion, setShownVersion] = useState(snapshot);
  const saving = useSnapshotSaving(id);
  const knownTags = useTagsInUse('snapshots');
  const target = useFullscreenTarget();
  if (shownVersion !== snapshot) {
    // A newer version has arrived: untouched fields follow it.
    if (note === shownVersion.note) setNote(snapshot.note);
    if (sameTags(tags, shownVersion.tags)) setTags(snapshot.tags);
    setShownVersion(snapshot);
  }
  const isChanged = note.trim() !== snapshot.note || !sameTags(tags, snapshot.tags);
  const hasConflict = saving.error instanceof ApiError && saving.error.status === 412;
  const fields = { note: note.trim(), tags };
  const save = (version: string | null, isLeft = false) => saving.mutate({ fields, etag: version, isLeft });

  // Leaving for another picture saves unsaved changes.
  const unsaved = useRef<(() => void) | null>(null);
  useEffect(() => {
    unsaved.current = isChanged && isRead && !saving.isPending && !hasConflict ? () => save(etag, true) : null;
  });
  useEffect(() => () => unsaved.current?.(), []);

  const { Icon } = KIND_STYLES[kind];
  return (
    <Stack gap="md">
      <div>
        <Anchor component={Link} to={`/devices/${deviceId}`} c="inherit" className={classes.name}>
          {name}
        </Anchor>
        <time dateTime={at} className={classes.moment}>
          {formatMoment(timeZone, Date.parse(at))}
        </time>
        <div className={classes.kind}>
          <Icon size={15} stroke={1.8} aria-hidden />
          <span>{formatOrigin(snapshot)}</span>
        </div>
      </div>
      <Group gap={1} wrap="nowrap">
        <Button
          component="a"
          href={snapshotDownloadUrl(snapshot, 'jpeg')}
          download
          flex={1}
          leftSection={<IconDownload size={16} />}
          className={classes.joined}
        >
          Download
        </Button>
        <Menu position="bottom-end" width={230} portalProps={target}>
          <Menu.Target>
            <ActionIcon variant="filled" size={36} aria-label="Download as" className={classes.joining}>
              <IconChevronDown size={17} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {FORMATS.map(({ format, description }) => (
              <Menu.Item key={format} component="a" href={snapshotDownloadUrl(snapshot, format)} download>
                {description}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </Group>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          save(etag);
        }}
      >
        <Stack gap="sm">
          {hasConflict && (
            <ConflictNotice
              noun="snapshot"
              onReload={() => {
                saving.reset();
                setNote(snapshot.note);
                setTags(snapshot.tags);
                onReload();
              }}
              onOverwrite={() => save(null)}
            />
          )}
          <Textarea
            label="Note"
            placeholder="Describe the picture"
            autosize
            minRows={2}
            maxRows={8}
            maxLength={2000}
            readOnly={!isRead}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && isChanged) save(etag);
            }}
          />
          <TagsInput
            label="Tags"
            placeholder={tags.length > 0 ? undefined : 'Type and press Enter'}
            data={knownTags}
            maxTags={MAX_TAGS}
            acceptValueOnBlur
            readOnly={!isRead}
            comboboxProps={{ portalProps: target }}
            value={tags}
            onChange={setTags}
          />
          {saving.error && !hasConflict && <Failure title="The snapshot was not saved" error={saving.error} />}
          {isChanged && isRead && (
            <Group gap="xs">
              <Button type="submit" size="xs" loading={saving.isPending}>
                Save
              </Button>
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  saving.reset();
                  setNote(snapshot.note);
                  setTags(snapshot.tags);
                }}
              >
                Discard
              </Button>
            </Group>
          )}
        </Stack>
      </form>
      <StatisticsList
        rows={[
          ['Size', `${snapshot.width} × ${snapshot.height}`],
          ['File', formatBytes(snapshot.size)],
          // For live snapshots this is the same moment.
          ...(kind === 'historical'
            ? [['Taken', <Timestamp key="taken" at={snapshot.created_at} />] as [string, ReactNode]]
            : []),
        ]}
      />
      <Group gap="xs">
        <Button
          component={Link}
          to={deviceMomentAddress(deviceId, Date.parse(at))}
          size="xs"
          variant="default"
          leftSection={<IconMovie size={15} stroke={1.7} />}
        >
          Play from here
        </Button>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconLink size={15} stroke={1.7} />}
          onClick={() => void copyLink(id)}
        >
          Copy link
        </Button>
        <Button
          size="xs"
          variant="default"
          c="var(--vas-bad)"
          leftSection={<IconTrash size={15} stroke={1.7} />}
          onClick={onDelete}
        >
          Delete
        </Button>
      </Group>
      <dl className={classes.keys}>
        {KEYS.map(([key, description]) => (
          <div key={key}>
            <dt>
              <Kbd size="xs">{key}</Kbd>
            </dt>
            <dd>{description}</dd>
          </div>
        ))}
      </dl>
    </Stack>
  );
}
