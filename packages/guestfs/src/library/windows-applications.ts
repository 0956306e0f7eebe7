import type { Application2 } from "@guestfs/schema";
import type { CallContext } from "../call-context.ts";
import { application } from "./installed-packages.ts";

/** Where installers note themselves: for programs of the machine's width, and for 32-bit ones on a 64-bit system. */
const uninstallKeys = [
  ["Microsoft", "Windows", "CurrentVersion", "Uninstall"],
  ["Wow6432Node", "Microsoft", "Windows", "CurrentVersion", "Uninstall"],
];

async function descend(context: CallContext, path: readonly string[]): Promise<number> {
  let node = await context.call("hivex_root", {});
  for (const name of path) {
    if (node === 0) return 0;
    node = await context.call("hivex_node_get_child", { nodeh: node, name });
  }
  return node;
}

async function valueOf(context: CallContext, nodeh: number, key: string): Promise<string> {
  const valueh = await context.call("hivex_node_get_value", { nodeh, key });
  return valueh === 0 ? "" : context.call("hivex_value_string", { valueh });
}

async function applicationAt(context: CallContext, nodeh: number): Promise<Application2 | undefined> {
  const displayName = await valueOf(context, nodeh, "DisplayName");
  if (displayName === "") return undefined;
  return application({
    app2_name: await context.call("hivex_node_name", { nodeh }),
    app2_display_name: displayName,
    app2_version: await valueOf(context, nodeh, "DisplayVersion"),
    app2_install_path: await valueOf(context, nodeh, "InstallLocation"),
    app2_publisher: await valueOf(context, nodeh, "Publisher"),
    app2_url: await valueOf(context, nodeh, "URLInfoAbout"),
    app2_description: await valueOf(context, nodeh, "Comments"),
  });
}

/** What Windows lists under "installed programs". */
export async function windowsApplications(context: CallContext, root: string): Promise<Application2[]> {
  const filename = await context.call("inspect_get_windows_software_hive", { root });
  await context.call("hivex_open", { filename });
  try {
    const found: Application2[] = [];
    for (const path of uninstallKeys) {
      const parent = await descend(context, path);
      if (parent === 0) continue;
      for (const child of await context.call("hivex_node_children", { nodeh: parent })) {
        const one = await applicationAt(context, child.hivex_node_h);
        if (one) found.push(one);
      }
    }
    return found;
  } finally {
    await context.call("hivex_close", {});
  }
}
