import type { Procedure } from "../procedure.ts";

/** Calls of the topic `swap`. */
export const swap: readonly Procedure[] = [
  {
    name: "mkswap",
    proc: 130,
    since: "1.0.55",
    summary: "Format a device as Linux swap space.",
    params: [
      { name: "device", type: "string", of: "device", summary: "block device to format" },
    ],
    optional: [
      { name: "label", type: "string", summary: "label of the swap space" },
      { name: "uuid", type: "string", summary: "UUID of the swap space" },
    ],
    returns: { type: "none" },
    onceHadNoOptionals: true,
    aliases: ["mkswap_opts"],
  },
  {
    name: "mkswap_L",
    proc: 131,
    since: "1.0.55",
    summary: "Format a device as Linux swap with a label; superseded by mkswap.",
    params: [
      { name: "label", type: "string", of: "plain", summary: "label of the swap space" },
      { name: "device", type: "string", of: "device", summary: "block device to format" },
    ],
    returns: { type: "none" },
    deprecated: "mkswap",
  },
  {
    name: "mkswap_U",
    proc: 132,
    since: "1.0.55",
    summary: "Format a device as Linux swap with a UUID; superseded by mkswap.",
    params: [
      { name: "uuid", type: "string", of: "plain", summary: "UUID of the swap space" },
      { name: "device", type: "string", of: "device", summary: "block device to format" },
    ],
    returns: { type: "none" },
    group: "linuxfsuuid",
    deprecated: "mkswap",
  },
  {
    name: "mkswap_file",
    proc: 178,
    since: "1.0.66",
    summary: "Format an existing file as Linux swap space.",
    params: [
      { name: "path", type: "string", of: "pathname", summary: "existing file, already of the wanted size" },
    ],
    returns: { type: "none" },
  },
  {
    name: "swapoff_device",
    proc: 171,
    since: "1.0.66",
    summary: "Stop swapping on a device.",
    params: [
      { name: "device", type: "string", of: "device", summary: "device used as swap" },
    ],
    returns: { type: "none" },
  },
  {
    name: "swapoff_file",
    proc: 173,
    since: "1.0.66",
    summary: "Stop swapping on a file.",
    params: [
      { name: "file", type: "string", of: "pathname", summary: "file used as swap" },
    ],
    returns: { type: "none" },
  },
  {
    name: "swapoff_label",
    proc: 175,
    since: "1.0.66",
    summary: "Stop swapping on the swap space with a given label.",
    params: [
      { name: "label", type: "string", of: "plain", summary: "label of the swap space" },
    ],
    returns: { type: "none" },
  },
  {
    name: "swapoff_uuid",
    proc: 177,
    since: "1.0.66",
    summary: "Stop swapping on the swap space with a given UUID.",
    params: [
      { name: "uuid", type: "string", of: "plain", summary: "UUID of the swap space" },
    ],
    returns: { type: "none" },
    group: "linuxfsuuid",
  },
  {
    name: "swapon_device",
    proc: 170,
    since: "1.0.66",
    summary: "Start swapping on a device.",
    params: [
      { name: "device", type: "string", of: "device", summary: "device formatted as swap" },
    ],
    returns: { type: "none" },
  },
  {
    name: "swapon_file",
    proc: 172,
    since: "1.0.66",
    summary: "Start swapping on a file.",
    params: [
      { name: "file", type: "string", of: "pathname", summary: "file formatted as swap" },
    ],
    returns: { type: "none" },
  },
  {
    name: "swapon_label",
    proc: 174,
    since: "1.0.66",
    summary: "Start swapping on the swap space with a given label.",
    params: [
      { name: "label", type: "string", of: "plain", summary: "label of the swap space" },
    ],
    returns: { type: "none" },
  },
  {
    name: "swapon_uuid",
    proc: 176,
    since: "1.0.66",
    summary: "Start swapping on the swap space with a given UUID.",
    params: [
      { name: "uuid", type: "string", of: "plain", summary: "UUID of the swap space" },
    ],
    returns: { type: "none" },
    group: "linuxfsuuid",
  },
];
