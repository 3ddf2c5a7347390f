// Counts the tags in use, the most used first.

export function countTags(tagged) {
  const counts = new Map();
  for (const tag of tagged.flatMap(({ tags }) => tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts]
    .map(([tag, count]) => ({ tag, count }))
    .sort((a, b) => b.count - a.count || a.tag.localeCompare(b.tag));
}
