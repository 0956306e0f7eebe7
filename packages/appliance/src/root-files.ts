/** Files that Debian's maintainer scripts would have made, or that udev, systemd and a real installation would need otherwise. */
export const rootFiles: Readonly<Record<string, string>> = {
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n",
  "etc/group": "root:x:0:\ndaemon:x:1:\ntty:x:5:\ndisk:x:6:\nfuse:x:7:\nnogroup:x:65534:\n",
  "etc/shadow": "root:*:19000:0:99999:7:::\n",
  "etc/hostname": "guestfs\n",
  "etc/hosts": "127.0.0.1 localhost guestfs\n::1 localhost\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n",
  "etc/machine-id": "",
  "etc/fstab": "",
  "etc/shells": "/bin/sh\n/bin/bash\n",
  "etc/fuse.conf": "user_allow_other\n",
  "etc/lvm/lvm.conf": `activation {
  udev_sync = 0
  udev_rules = 0
  verify_udev_operations = 0
  monitoring = 0
}
backup {
  backup = 0
  archive = 0
}
devices {
  obtain_device_list_from_udev = 0
  external_device_info_source = "none"
  use_devicesfile = 0
  global_filter = [ "r|^/dev/vd[ab]$|", "a|.*|" ]
  write_cache_state = 0
}
global {
  use_lvmpolld = 0
  use_lvmlockd = 0
  event_activation = 0
}
`,
  // Block devices are scanned by hand; a stale list must not be believed.
  "etc/blkid.conf": "SEND_UEVENT=no\nEVALUATE=scan\nCACHE_FILE=/dev/null\n",
  "etc/mdadm/mdadm.conf": "AUTO -all\n",
};

/** Folders that must be there. */
export const rootFolders: readonly string[] = [
  ...["proc", "sys", "dev", "run", "tmp", "sysroot", "root", "mnt", "guestfsd", "media"],
  ...["etc/lvm", "etc/mdadm", "var/lib/lvm", "var/lib/misc", "var/log", "var/tmp", "var/cache"],
];

/** Symbolic links: path to target. */
export const rootLinks: Readonly<Record<string, string>> = {
  "etc/mtab": "../proc/self/mounts",
  "var/run": "../run",
  "var/lock": "../run/lock",
  "usr/bin/sh": "dash",
  "usr/bin/awk": "mawk",
};

/** Folders that Debian keeps under `/usr`, with a link at the top. */
export const mergedFolders: readonly string[] = ["bin", "sbin", "lib", "lib64"];
