// The options of a plugin as they were when the form was opened.
import { useQuery } from '@tanstack/react-query';
import { readOptions, type OptionsPlace } from '../api/pluginOptions';
import { FROZEN_WHILE_EDITING } from '../widgets/editQuery';

export function useOptionsToEdit(place: OptionsPlace) {
  return useQuery({
    queryKey: ['options-to-edit', place.plugin, place.deviceId, place.tag],
    queryFn: ({ signal }) => readOptions(place, signal),
    ...FROZEN_WHILE_EDITING,
  });
}
