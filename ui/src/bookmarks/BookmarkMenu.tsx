// The menu of actions on one bookmark.
import { ActionIcon, Menu } from '@mantine/core';
import {
  IconDotsVertical,
  IconDownload,
  IconMaximize,
  IconMovie,
  IconPencil,
  IconRefresh,
  IconTrash,
} from '@tabler/icons-react';
import { Link } from 'react-router';
import { clipDownloadUrl, type Bookmark } from '../api/bookmarks';
import { deviceMomentAddress } from '../addresses/recordingAddresses';

export interface BookmarkActionProps {
  onRemake: (bookmark: Bookmark) => void;
  onEdit: (bookmark: Bookmark) => void;
  onDelete: (bookmark: Bookmark) => void;
  /** The bookmark whose new clip is being requested. */
  remakingId: string | null;
}

interface BookmarkMenuProps extends BookmarkActionProps {
  bookmark: Bookmark;
  onOpen: () => void;
}

export function BookmarkMenu({ bookmark, onOpen, onRemake, onEdit, onDelete }: BookmarkMenuProps) {
  const icon = { size: 16, stroke: 1.7 };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label={`More actions for ${bookmark.title}`}>
          <IconDotsVertical size={18} stroke={1.7} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconMaximize {...icon} />} onClick={onOpen}>
          Open
        </Menu.Item>
        <Menu.Item leftSection={<IconPencil {...icon} />} onClick={() => onEdit(bookmark)}>
          Edit…
        </Menu.Item>
        <Menu.Item
          leftSection={<IconMovie {...icon} />}
          component={Link}
          to={deviceMomentAddress(bookmark.device_id, Date.parse(bookmark.at))}
        >
          Show recording
        </Menu.Item>
        {bookmark.clip.state === 'ready' && (
          <Menu.Item leftSection={<IconDownload {...icon} />} component="a" href={clipDownloadUrl(bookmark)} download>
            Download clip
          </Menu.Item>
        )}
        {bookmark.clip.state !== 'pending' && (
          <Menu.Item leftSection={<IconRefresh {...icon} />} onClick={() => onRemake(bookmark)}>
            Recreate clip
          </Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Item color="red" leftSection={<IconTrash {...icon} />} onClick={() => onDelete(bookmark)}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
