import type { Procedure } from "../procedure.ts";

/** Calls of the topic `inspect`. */
export const inspect: readonly Procedure[] = [
  {
    name: "inspect_get_arch",
    proc: 491,
    since: "1.5.3",
    summary: "Return the CPU architecture of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_build_id",
    proc: 513,
    since: "1.49.8",
    summary: "Return the build identifier of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_distro",
    proc: 484,
    since: "1.5.3",
    summary: "Return the distribution name (\"fedora\", \"debian\", ...) of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_drive_mappings",
    proc: 502,
    since: "1.9.17",
    summary: "Map drive letters of an inspected Windows to devices.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "hashtable", values: "device" },
  },
  {
    name: "inspect_get_filesystems",
    proc: 501,
    since: "1.5.3",
    summary: "List all filesystems used by an inspected OS, swap included.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string-list", of: "mountable" },
  },
  {
    name: "inspect_get_format",
    proc: 482,
    since: "1.9.4",
    summary: "Return the format of an inspected OS (deprecated, \"installed\").",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
    deprecated: true,
  },
  {
    name: "inspect_get_hostname",
    proc: 492,
    since: "1.7.9",
    summary: "Return the host name configured in an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_icon",
    since: "1.11.12",
    summary: "Return a PNG icon for an inspected OS, empty if none.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    optional: [
      { name: "favicon", type: "bool", summary: "consider low-quality favicon files (default true)" },
      { name: "highquality", type: "bool", summary: "allow only high-quality icons (default false)" },
    ],
    returns: { type: "buffer" },
  },
  {
    name: "inspect_get_major_version",
    proc: 489,
    since: "1.5.3",
    summary: "Return the major version number of an inspected OS, 0 if unknown.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "int" },
  },
  {
    name: "inspect_get_minor_version",
    proc: 490,
    since: "1.5.3",
    summary: "Return the minor version number of an inspected OS, 0 if unknown.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "int" },
  },
  {
    name: "inspect_get_mountpoints",
    proc: 500,
    since: "1.5.3",
    summary: "Return where each filesystem of an inspected OS should be mounted.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "hashtable", values: "mountable" },
  },
  {
    name: "inspect_get_osinfo",
    since: "1.39.1",
    summary: "Return the libosinfo short ID of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_package_format",
    proc: 485,
    since: "1.7.5",
    summary: "Return the package format (\"rpm\", \"deb\", ...) of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_package_management",
    proc: 486,
    since: "1.7.5",
    summary: "Return the package manager (\"dnf\", \"apt\", ...) of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_product_name",
    proc: 487,
    since: "1.5.3",
    summary: "Return the free-text product name of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_product_variant",
    proc: 488,
    since: "1.9.13",
    summary: "Return the edition (\"Server\", \"Client\", ...) of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_roots",
    proc: 481,
    since: "1.7.3",
    summary: "List the root devices found by the last inspection, without rescanning.",
    params: [],
    returns: { type: "string-list", of: "mountable" },
  },
  {
    name: "inspect_get_type",
    proc: 483,
    since: "1.5.3",
    summary: "Return the OS family (\"linux\", \"windows\", ...) of an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_windows_current_control_set",
    proc: 496,
    since: "1.9.17",
    summary: "Return the active control set's name in an inspected Windows.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_windows_group_policy",
    proc: 521,
    since: "1.57.6",
    summary: "Tell whether an inspected Windows appears to use Group Policy.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "bool" },
  },
  {
    name: "inspect_get_windows_software_hive",
    proc: 494,
    since: "1.35.26",
    summary: "Return the path of the SOFTWARE hive in an inspected Windows.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_windows_system_hive",
    proc: 495,
    since: "1.35.26",
    summary: "Return the path of the SYSTEM hive in an inspected Windows.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_get_windows_systemroot",
    proc: 493,
    since: "1.5.25",
    summary: "Return the system root path (like /Windows) of an inspected Windows.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "string" },
  },
  {
    name: "inspect_is_live",
    proc: 497,
    since: "1.9.4",
    summary: "Tell whether inspection found a live CD (deprecated, always false).",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "bool" },
    deprecated: true,
  },
  {
    name: "inspect_is_multipart",
    proc: 499,
    since: "1.9.4",
    summary: "Tell whether inspection found a multipart disc (deprecated, always false).",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "bool" },
    deprecated: true,
  },
  {
    name: "inspect_is_netinst",
    proc: 498,
    since: "1.9.4",
    summary: "Tell whether inspection found a network installer (deprecated, always false).",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "bool" },
    deprecated: true,
  },
  {
    name: "inspect_list_applications",
    since: "1.7.8",
    summary: "List applications of an inspected OS (superseded by inspect_list_applications2).",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "struct-list", struct: "application" },
    deprecated: "inspect_list_applications2",
  },
  {
    name: "inspect_list_applications2",
    since: "1.19.56",
    summary: "List all applications or packages installed in an inspected OS.",
    params: [
      { name: "root", type: "string", of: "mountable", summary: "root device found by inspection" },
    ],
    returns: { type: "struct-list", struct: "application2" },
  },
  {
    name: "inspect_os",
    proc: 480,
    since: "1.5.3",
    summary: "Scan all disks for operating systems and return their root devices.",
    params: [],
    returns: { type: "string-list", of: "mountable" },
  },
];
