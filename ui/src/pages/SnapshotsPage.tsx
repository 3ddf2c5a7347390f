// The gallery: every snapshot that was kept, by day.
import { PageHeader } from '../components/PageHeader';

export function SnapshotsPage() {
  return <PageHeader title="Snapshots" />;
}
