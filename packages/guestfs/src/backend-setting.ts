import type { Settings } from "./settings.ts";

/** Backend settings that do something here. Of libguestfs's own those are `force_kvm` and `force_tcg`. */
type BackendSetting = "allow_other_files" | "force_kvm" | "force_tcg" | "template";

const known: Record<BackendSetting, true> = {
  allow_other_files: true,
  force_kvm: true,
  force_tcg: true,
  template: true,
};

/** Warns of backend settings without effect. They are no error, since libguestfs takes any. */
export function warnOfIdleSettings(handle: { readonly settings: Settings; warn(message: string): void }): void {
  for (const setting of handle.settings.backendSettings) {
    const name = setting.replace(/=.*/s, "");
    if (name !== "" && !Object.hasOwn(known, name))
      handle.warn(
        `the backend setting ${name} does nothing here; these do something: ${Object.keys(known).join(", ")}`,
      );
  }
}
