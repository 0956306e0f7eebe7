import type { Application, Application2 } from "@guestfs/schema";
import type { CallContext } from "../call-context.ts";
import { RemoteError } from "../errors.ts";
import { apkApplications, debianApplications, pacmanApplications } from "./installed-packages.ts";
import type { LibraryFunctions } from "./library.ts";
import { osinfoId } from "./osinfo.ts";
import { windowsApplications } from "./windows-applications.ts";

/** Largest icon taken, in bytes. */
const iconMax = 64 * 1024;

/** Where distributions keep a picture of themselves, good ones first. */
const icons: Readonly<Record<string, readonly string[]>> = {
  debian: ["/usr/share/pixmaps/debian-logo.png", "/usr/share/icons/desktop-base/64x64/emblems/emblem-debian.png"],
  fedora: [
    "/usr/share/icons/hicolor/96x96/apps/fedora-logo-icon.png",
    "/usr/share/icons/hicolor/48x48/apps/fedora-logo-icon.png",
  ],
  mageia: ["/usr/share/icons/mageia.png"],
  opensuse: [
    "/usr/share/icons/hicolor/48x48/apps/distributor.png",
    "/usr/share/icons/hicolor/24x24/apps/distributor.png",
  ],
  sles: ["/usr/share/icons/hicolor/48x48/apps/distributor.png"],
  ubuntu: ["/usr/share/icons/gnome/24x24/places/ubuntu-logo.png", "/usr/share/pixmaps/ubuntu-logo.png"],
};
const favicon = "/etc/favicon.png";
const pngSignature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

async function iconAt(context: CallContext, path: string): Promise<Uint8Array | undefined> {
  try {
    const size = await context.call("filesize", { file: path });
    if (size === 0 || size > iconMax) return undefined;
    const bytes = await context.callForContent("download", { remotefilename: path }, iconMax);
    return pngSignature.every((byte, index) => bytes[index] === byte) ? bytes : undefined;
  } catch (error) {
    if (error instanceof RemoteError) return undefined;
    throw error;
  }
}

async function applications(context: CallContext, root: string): Promise<Application2[]> {
  if ((await context.call("inspect_get_type", { root })) === "windows") return windowsApplications(context, root);
  switch (await context.call("inspect_get_package_format", { root })) {
    case "deb":
      return debianApplications(context);
    case "rpm":
      return context.call("internal_list_rpm_applications", {});
    case "pacman":
      return pacmanApplications(context);
    case "apk":
      return apkApplications(context);
    default:
      return [];
  }
}

function oldForm(application: Application2): Application {
  return {
    app_name: application.app2_name,
    app_display_name: application.app2_display_name,
    app_epoch: application.app2_epoch,
    app_version: application.app2_version,
    app_release: application.app2_release,
    app_install_path: application.app2_install_path,
    app_trans_path: application.app2_trans_path,
    app_publisher: application.app2_publisher,
    app_url: application.app2_url,
    app_source_package: application.app2_source_package,
    app_summary: application.app2_summary,
    app_description: application.app2_description,
  };
}

/** What the library works out about an inspected system. */
export const inspectFunctions: LibraryFunctions<
  "inspectGetIcon" | "inspectGetOsinfo" | "inspectListApplications" | "inspectListApplications2"
> = {
  async inspectGetIcon(context, root, options = {}) {
    const distro = await context.call("inspect_get_distro", { root });
    const paths = [
      ...(icons[distro] ?? []),
      ...(options.favicon !== false && options.highquality !== true ? [favicon] : []),
    ];
    for (const path of paths) {
      const icon = await iconAt(context, path);
      if (icon) return icon;
    }
    return new Uint8Array(0);
  },
  async inspectGetOsinfo(context, root) {
    const type = await context.call("inspect_get_type", { root });
    const distro = await context.call("inspect_get_distro", { root });
    const major = await context.call("inspect_get_major_version", { root });
    const minor = await context.call("inspect_get_minor_version", { root });
    const isWindows = type === "windows";
    const product = isWindows ? await context.call("inspect_get_product_name", { root }) : "";
    const variant = isWindows ? await context.call("inspect_get_product_variant", { root }) : "";
    const build = isWindows ? await buildOf(context, root) : 0;
    return osinfoId({ type, distro, major, minor, product, variant, build });
  },
  inspectListApplications: async (context, root) => (await applications(context, root)).map(oldForm),
  inspectListApplications2: applications,
};

/** Only daemons from 1.49 on tell it. */
async function buildOf(context: CallContext, root: string): Promise<number> {
  try {
    return Number.parseInt(await context.call("inspect_get_build_id", { root }), 10) || 0;
  } catch (error) {
    if (error instanceof RemoteError) return 0;
    throw error;
  }
}
