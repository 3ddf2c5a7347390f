// Channels, rules and deliveries, and the actions on them.
import { notifications } from '@mantine/notifications';
import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import {
  deleteChannel,
  deleteRule,
  listChannels,
  listDeliveries,
  listRules,
  notificationKeys,
  retryDelivery,
  rotateSecret,
  saveChannel,
  saveRule,
  subscribeBrowser,
  testChannel,
  type Channel,
  type ChannelFields,
  type DeliveryQuery,
  type Rule,
  type RuleFields,
} from '../api/notifications';
import { notifyFailure } from '../widgets/notifyFailure';
import { channelFieldsOf, channelValuesOf } from './channelValues';
import { nameOfBrowser, subscribeHere } from './pushSubscription';
import { ruleFieldsOf } from './ruleValues';

const INTERVAL_MS = 10_000;
const DELIVERIES_INTERVAL_MS = 3_000;

export function useChannels() {
  return useQuery({
    queryKey: notificationKeys.channels,
    queryFn: ({ signal }) => listChannels(signal),
    refetchInterval: INTERVAL_MS,
  });
}

export function useRules() {
  return useQuery({
    queryKey: notificationKeys.rules,
    queryFn: ({ signal }) => listRules(signal),
    refetchInterval: INTERVAL_MS,
  });
}

export function useDeliveries(query: DeliveryQuery) {
  return useQuery({
    queryKey: notificationKeys.deliveries(query),
    queryFn: ({ signal }) => listDeliveries(query, signal),
    refetchInterval: DELIVERIES_INTERVAL_MS,
    placeholderData: keepPreviousData,
  });
}

interface Save<T> {
  id: string | null;
  fields: T;
  etag: string | null;
}

export function useNotificationActions() {
  const client = useQueryClient();
  const onSettled = () => client.invalidateQueries({ queryKey: notificationKeys.all });

  const saveOneChannel = useMutation({
    mutationFn: ({ id, fields, etag }: Save<ChannelFields>) => saveChannel(id, fields, etag),
    onSettled,
  });
  const toggleChannel = useMutation({
    mutationFn: (channel: Channel) =>
      saveChannel(channel.id, { ...channelFieldsOf(channelValuesOf(channel)), enabled: !channel.enabled }, null),
    onError: (error, { name }) => notifyFailure(`“${name}” was not changed`, error),
    onSettled,
  });
  const removeChannel = useMutation({
    mutationFn: (channel: Channel) => deleteChannel(channel.id),
    onError: (error, { name }) => notifyFailure(`“${name}” was not deleted`, error),
    onSettled,
  });
  const test = useMutation({
    mutationFn: (channel: Channel) => testChannel(channel.id),
    onSuccess: (_, { name }) =>
      void notifications.show({ message: `A test is on its way to “${name}”: see Deliveries.` }),
    onError: (error, { name }) => notifyFailure(`No test was sent to “${name}”`, error),
    onSettled,
  });
  const rotate = useMutation({ mutationFn: (channel: Channel) => rotateSecret(channel.id), onSettled });
  const subscribe = useMutation({
    mutationFn: async (channel: Channel) => {
      const subscription = await subscribeHere(channel.push?.public_key ?? '');
      return subscribeBrowser(channel.id, { ...subscription, browser: nameOfBrowser() });
    },
    onSuccess: (_, { name }) =>
      void notifications.show({ message: `This browser gets the notifications of “${name}”.` }),
    onError: (error, { name }) => notifyFailure(`This browser was not subscribed to “${name}”`, error),
    onSettled,
  });

  const saveOneRule = useMutation({
    mutationFn: ({ id, fields, etag }: Save<RuleFields>) => saveRule(id, fields, etag),
    onSettled,
  });
  const toggleRule = useMutation({
    mutationFn: (rule: Rule) => saveRule(rule.id, { ...ruleFieldsOf(rule), enabled: !rule.enabled }, null),
    onError: (error, { name }) => notifyFailure(`“${name}” was not changed`, error),
    onSettled,
  });
  const removeRule = useMutation({
    mutationFn: (rule: Rule) => deleteRule(rule.id),
    onError: (error, { name }) => notifyFailure(`“${name}” was not deleted`, error),
    onSettled,
  });
  const retry = useMutation({
    mutationFn: (id: number) => retryDelivery(id),
    onError: (error) => notifyFailure('The notification was not sent again', error),
    onSettled,
  });

  return {
    saveOneChannel,
    toggleChannel,
    removeChannel,
    test,
    rotate,
    subscribe,
    saveOneRule,
    toggleRule,
    removeRule,
    retry,
  };
}
