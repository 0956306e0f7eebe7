/**
 * Calls of the daemon that change no file, file system, disk, mount or setting of the machine. Whatever is not here is
 * taken for one that does; a program of the guest may do anything, so `command` is not here.
 */
const looking: ReadonlySet<string> = new Set(
  [
    "base64_out compress_device_out compress_out cpio_out tar_out tgz_out txz_out",
    "acl_get_file cap_get_file getcon getxattr getxattrs lgetxattr lgetxattrs",
    "aug_close aug_defvar aug_get aug_init aug_label aug_load aug_ls aug_match",
    "btrfs_balance_status btrfs_filesystem_show btrfs_qgroup_show btrfs_scrub_status btrfs_subvolume_get_default",
    "btrfs_subvolume_list btrfs_subvolume_show",
    "available_all_groups dmesg echo_daemon get_umask ping_daemon sleep sync utsname",
    "blockdev_getbsz blockdev_getro blockdev_getsize64 blockdev_getss blockdev_getsz checksum_device is_whole_device",
    "is_zero_device list_devices list_disk_labels list_dm_devices list_filesystems list_partitions nr_devices pread_device",
    "df df_h du find0 glob_expand ll llz ls0 lstatns",
    "extension_set_chunk_size extension_daemon_status extension_restrict",
    "case_sensitive_path checksum checksums_out equal exists file file_architecture filesize is_blockdev is_chardev is_dir",
    "is_fifo is_file is_socket is_symlink is_zero pread readlink realpath statns statvfs",
    "blkid filesystem_available findfs_label findfs_partlabel findfs_partuuid findfs_uuid get_e2attrs get_e2generation",
    "get_e2label get_e2uuid isoinfo isoinfo_device tune2fs_l vfs_label vfs_minimum_size vfs_type vfs_uuid",
    "hivex_close hivex_node_children hivex_node_get_child hivex_node_get_value hivex_node_name hivex_node_parent",
    "hivex_node_values hivex_open hivex_root hivex_value_key hivex_value_string hivex_value_type hivex_value_utf8 hivex_value_value",
    "initrd_cat initrd_list",
    "inotify_add_watch inotify_close inotify_files inotify_init inotify_read inotify_rm_watch",
    "inspect_get_arch inspect_get_build_id inspect_get_distro inspect_get_drive_mappings inspect_get_filesystems",
    "inspect_get_format inspect_get_hostname inspect_get_major_version inspect_get_minor_version inspect_get_mountpoints",
    "inspect_get_package_format inspect_get_package_management inspect_get_product_name inspect_get_product_variant",
    "inspect_get_roots inspect_get_type inspect_get_windows_current_control_set inspect_get_windows_group_policy",
    "inspect_get_windows_software_hive inspect_get_windows_system_hive inspect_get_windows_systemroot inspect_is_live",
    "inspect_is_multipart inspect_is_netinst",
    "internal_autosync internal_feature_available internal_filesystem_walk internal_find_inode internal_journal_get",
    "internal_list_rpm_applications internal_lstatnslist internal_lxattrlist internal_parse_mountable internal_readdir",
    "internal_readlinklist internal_yara_scan",
    "journal_close journal_get_data_threshold journal_get_realtime_usec journal_next journal_open",
    "journal_set_data_threshold journal_skip",
    "ldmtool_diskgroup_disks ldmtool_diskgroup_name ldmtool_diskgroup_volumes ldmtool_scan ldmtool_scan_devices",
    "ldmtool_volume_hint ldmtool_volume_partitions ldmtool_volume_type list_ldm_partitions list_ldm_volumes",
    "luks_uuid is_lv lvm_canonical_lv_name lvs lvs_full lvuuid pvs pvs_full pvuuid vglvuuids vgmeta vgpvuuids vgs vgs_full vguuid",
    "list_md_devices md_detail md_stat list_9p mountpoints mounts",
    "part_get_bootable part_get_disk_guid part_get_gpt_attributes part_get_gpt_guid part_get_gpt_type part_get_mbr_id",
    "part_get_mbr_part_type part_get_name part_get_parttype part_list part_to_dev part_to_partnum sfdisk_disk_geometry",
    "sfdisk_kernel_geometry sfdisk_l",
    "retired_readdir download_blocks download_inode ntfscat_i",
    "egrep egrepi fgrep fgrepi grep grepi head head_n hexdump strings strings_e tail tail_n wc_c wc_l wc_w zegrep zegrepi",
    "zfgrep zfgrepi zfile zgrep zgrepi",
    "download download_offset xfs_info xfs_info2 yara_destroy yara_load",
  ].flatMap((line) => line.split(" ")),
);

/** Whether a call, by its wire name, is known to change nothing. */
export function isLookingCall(name: string): boolean {
  return looking.has(name);
}
