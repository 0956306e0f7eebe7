// @ts-check
/** Builds the machines of tests/live into the user's cache folder; says nothing when they are there already. */
export async function installLiveMachines() {
  const { buildGuestImage, whyNoLiveMachine } = await import("@guestfs/testkit");
  const reason = whyNoLiveMachine();
  if (reason !== undefined) return console.error(`setup: no live machine: ${reason}`);
  for (const daemon of /** @type {const} */ (["own", "stock"]))
    await buildGuestImage(daemon, (step) => console.error(`setup: live machine: ${step}`));
}
