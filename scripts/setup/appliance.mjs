// @ts-check

/** Builds the appliance into the user's cache folder; says nothing when it is there already. */
export async function buildAppliance() {
  const { buildAppliance: build } = await import("@guestfs/appliance");
  if (build === undefined) return;
  await build({ onMessage: (/** @type {string} */ line) => console.error(`setup: ${line}`) });
}
