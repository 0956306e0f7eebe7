/** What a daemon's call may do to the machine that it is made in. */
export type Effect =
  /** Changes no file, filesystem, disk, mount or setting; what only this conversation sees does not count. */
  | "none"
  /** Changes something. */
  | "change"
  /** Writes to a device, or to what is on it, as a whole: harmless only while nothing uses the device. */
  | "device"
  /** Can destroy what a running machine lives on. */
  | "danger";

// A program of the guest may do anything, so `command` is no call without an effect. What works on a tree or a file in
// memory (augeas, hivex) changes nothing until it is saved. The umask is the conversation's alone; from a security label there may
// be no return. Inspection mounts filesystems, which may replay a journal.
const lists: Readonly<Record<Effect, string>> = {
  none: `
  base64_out compress_device_out compress_out cpio_out mksquashfs tar_out tgz_out txz_out acl_get_file
  cap_get_file getcon getxattr getxattrs lgetxattr lgetxattrs aug_clear aug_close aug_defnode aug_defvar
  aug_get aug_init aug_insert aug_label aug_load aug_ls aug_match aug_mv aug_rm aug_set aug_setm aug_transform
  btrfs_balance_status btrfs_filesystem_show btrfs_qgroup_show btrfs_scrub_status btrfs_subvolume_get_default
  btrfs_subvolume_list btrfs_subvolume_show available_all_groups dmesg echo_daemon get_umask ping_daemon sleep
  sync umask utsname blockdev_getbsz blockdev_getro blockdev_getsize64 blockdev_getss blockdev_getsz
  checksum_device is_whole_device is_zero_device list_devices list_disk_labels list_dm_devices list_filesystems
  list_partitions nr_devices pread_device df df_h du find0 glob_expand ll llz ls0 lstatns extension_set_chunk_size
  case_sensitive_path checksum checksums_out equal exists file file_architecture filesize is_blockdev is_chardev
  is_dir is_fifo is_file is_socket is_symlink is_zero pread readlink realpath statns statvfs blkid
  filesystem_available findfs_label findfs_partlabel findfs_partuuid findfs_uuid get_e2attrs get_e2generation
  get_e2label get_e2uuid isoinfo isoinfo_device tune2fs_l vfs_label vfs_minimum_size vfs_type vfs_uuid hivex_close
  hivex_node_add_child hivex_node_children hivex_node_delete_child hivex_node_get_child hivex_node_get_value
  hivex_node_name hivex_node_parent hivex_node_set_value hivex_node_values hivex_open hivex_root hivex_value_key
  hivex_value_string hivex_value_type hivex_value_utf8 hivex_value_value initrd_cat initrd_list inotify_add_watch
  inotify_close inotify_files inotify_init inotify_read inotify_rm_watch inspect_get_arch inspect_get_build_id
  inspect_get_distro inspect_get_drive_mappings inspect_get_filesystems inspect_get_format inspect_get_hostname
  inspect_get_major_version inspect_get_minor_version inspect_get_mountpoints inspect_get_package_format
  inspect_get_package_management inspect_get_product_name inspect_get_product_variant inspect_get_roots
  inspect_get_type inspect_get_windows_current_control_set inspect_get_windows_group_policy
  inspect_get_windows_software_hive inspect_get_windows_system_hive inspect_get_windows_systemroot inspect_is_live
  inspect_is_multipart inspect_is_netinst internal_autosync internal_feature_available internal_filesystem_walk
  internal_find_inode internal_journal_get internal_list_rpm_applications internal_lstatnslist internal_lxattrlist
  internal_parse_mountable internal_readdir internal_readlinklist internal_rhbz914931 internal_yara_scan
  journal_close journal_get_data_threshold journal_get_realtime_usec journal_next journal_open
  journal_set_data_threshold journal_skip ldmtool_diskgroup_disks ldmtool_diskgroup_name ldmtool_diskgroup_volumes
  ldmtool_scan ldmtool_scan_devices ldmtool_volume_hint ldmtool_volume_partitions ldmtool_volume_type
  list_ldm_partitions list_ldm_volumes luks_uuid is_lv lvm_canonical_lv_name lvs lvs_full lvuuid pvs pvs_full
  pvuuid vglvuuids vgmeta vgpvuuids vgs vgs_full vguuid list_md_devices md_detail md_stat list_9p mountpoints
  mounts ntfs_3g_probe ntfsclone_out part_get_bootable part_get_disk_guid part_get_gpt_attributes
  part_get_gpt_guid part_get_gpt_type part_get_mbr_id part_get_mbr_part_type part_get_name part_get_parttype
  part_list part_to_dev part_to_partnum sfdisk_disk_geometry sfdisk_kernel_geometry sfdisk_l retired_readdir
  download_blocks download_inode ntfscat_i egrep egrepi fgrep fgrepi grep grepi head head_n hexdump strings
  strings_e tail tail_n wc_c wc_l wc_w zegrep zegrepi zfgrep zfgrepi zfile zgrep zgrepi download download_offset
  xfs_info xfs_info2 yara_destroy yara_load
  extension_daemon_status extension_open_window extension_restrict extension_walk`,
  change: `
  base64_in tar_in tgz_in txz_in acl_delete_def_file acl_set_file cap_set_file lremovexattr lsetxattr removexattr
  selinux_relabel setcon setfiles setxattr aug_save btrfs_balance_cancel btrfs_balance_pause btrfs_balance_resume
  btrfs_filesystem_balance btrfs_filesystem_defragment btrfs_filesystem_sync btrfs_image btrfs_qgroup_assign
  btrfs_qgroup_create btrfs_qgroup_destroy btrfs_qgroup_limit btrfs_qgroup_remove btrfs_quota_enable
  btrfs_quota_rescan btrfs_scrub_cancel btrfs_scrub_full btrfs_scrub_resume btrfs_scrub_start
  btrfs_subvolume_create btrfs_subvolume_snapshot command command_lines command_out drop_caches modprobe sh
  sh_lines sh_out blockdev_flushbufs blockdev_rereadpt blockdev_setra blockdev_setrw copy_device_to_file
  copy_file_to_file fill_dir mkdir mkdir_mode mkdir_p rm_rf rmdir chmod chown copy_attributes cp cp_a cp_r
  fallocate fallocate64 fill fill_pattern lchown ln ln_f ln_s ln_sf mkdtemp mkfifo mknod mknod_b mknod_c mktemp mv
  pwrite rename rm rm_f touch truncate truncate_size utimens write_file fstrim mklost_and_found resize2fs
  resize2fs_M resize2fs_size set_e2attrs set_e2generation set_e2label set_label tune2fs hivex_commit inspect_os
  internal_write internal_write_append ldmtool_create_all clevis_luks_unlock cryptsetup_close cryptsetup_open
  luks_add_key luks_close luks_open luks_open_ro lvcreate lvcreate_free lvm_clear_filter lvm_scan lvm_set_filter
  lvresize_free pvresize vg_activate vg_activate_all vgscan mkmountpoint mount mount_9p mount_loop mount_options
  mount_ro mount_vfs remount rmmountpoint umount rsync rsync_in rsync_out mkswap_file swapon_device swapon_file
  swapon_label swapon_uuid xfs_growfs
  extension_freeze extension_thaw`,
  device: `
  btrfs_fsck copy_device_to_device copy_file_to_device copy_size pwrite_device f2fs_expand dd e2fsck e2fsck_f fsck
  ntfs_chmod ntfsfix ntfsresize ntfsresize_size upload upload_offset xfs_admin xfs_repair`,
  danger: `
  extlinux grub_install syslinux btrfs_device_add btrfs_device_delete btrfs_filesystem_resize btrfs_replace
  btrfs_rescue_chunk_recover btrfs_rescue_super_recover btrfs_set_seeding btrfs_subvolume_delete
  btrfs_subvolume_set_default btrfstune_enable_extended_inode_refs btrfstune_enable_skinny_metadata_extent_refs
  btrfstune_seeding mkfs_btrfs debug debug_upload internal_exit blkdiscard blkdiscardzeroes blockdev_setbsz
  blockdev_setro scrub_device zero_device zero mke2fs mke2fs_J mke2fs_JL mke2fs_JU mke2journal mke2journal_L
  mke2journal_U mkfs mkfs_b set_e2uuid set_uuid set_uuid_random wipefs zero_free_space zerofree internal_upload
  ldmtool_remove_all luks_format luks_format_cipher luks_kill_slot lvm_remove_all lvremove lvrename lvresize
  pvchange_uuid pvchange_uuid_all pvcreate pvremove pvresize_size vgchange_uuid vgchange_uuid_all vgcreate
  vgremove vgrename md_create md_stop umount_all ntfsclone_in part_add part_del part_disk part_expand_gpt
  part_init part_resize part_set_bootable part_set_disk_guid part_set_disk_guid_random part_set_gpt_attributes
  part_set_gpt_guid part_set_gpt_type part_set_mbr_id part_set_name sfdisk sfdiskM sfdisk_N scrub_file
  scrub_freespace mkswap mkswap_L mkswap_U swapoff_device swapoff_file swapoff_label swapoff_uuid
  extension_drive_added extension_drive_leaves`,
};

/** The effect of each call of the daemon, by wire name. This is the one place that says it. */
export const effects: ReadonlyMap<string, Effect> = new Map(
  (Object.keys(lists) as Effect[]).flatMap((effect) =>
    lists[effect]
      .trim()
      .split(/\s+/)
      .map((name) => [name, effect] as const),
  ),
);

/** The effect of a call by its wire name; what is not known is taken for dangerous. */
export function effectOf(name: string): Effect {
  return effects.get(name) ?? "danger";
}
