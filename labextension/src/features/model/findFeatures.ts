import { labelOf } from '../../context/names';
import type { IFeatures } from '../../server/contract';

/** All tags of the groups, each once, in the order of the alphabet. */
export function tagsOf(features: IFeatures): string[] {
  return [...new Set(features.groups.flatMap(group => group.tags))].sort();
}

/**
 * The groups and views that hold every word, and the tag.
 *
 * As the library's own search: names, descriptions, tags, keywords, owners, columns; and titles. A
 * view has the tags of its groups.
 */
export function findFeatures(
  features: IFeatures,
  words: string,
  tag: string | null,
  titleOf: (kind: 'group' | 'view', label: string) => string = () => ''
): IFeatures {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = (texts: readonly string[]): boolean => {
    const all = texts.join(' ').toLowerCase();
    return wanted.every(word => all.includes(word));
  };
  const tagged = new Set(
    features.groups
      .filter(group => tag === null || group.tags.includes(tag))
      .map(labelOf)
  );
  return {
    groups: features.groups.filter(
      group =>
        tagged.has(labelOf(group)) &&
        holds([
          labelOf(group),
          titleOf('group', labelOf(group)),
          group.description,
          group.owner,
          ...group.tags,
          ...group.keywords,
          ...group.columns.flatMap(each => [each.name, each.description])
        ])
    ),
    views: features.views.filter(
      view =>
        (tag === null || view.groups.some(group => tagged.has(group))) &&
        holds([
          labelOf(view),
          titleOf('view', labelOf(view)),
          view.description,
          ...view.labels,
          ...view.groups,
          ...view.columns.map(each => each.name),
          ...view.datasets.map(each => each.description)
        ])
    )
  };
}
