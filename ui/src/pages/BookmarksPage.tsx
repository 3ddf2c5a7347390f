// Bookmarks: moments worth finding again, with their clips.
import { PageHeader } from '../components/PageHeader';

export function BookmarksPage() {
  return <PageHeader title="Bookmarks" />;
}
