/** The events of a handle, with their bits (guestfs(3), EVENTS). */
export const events: readonly { readonly name: string; readonly mask: number; readonly summary: string }[] = [
  { name: "close", mask: 1, summary: "The handle was closed." },
  { name: "subprocess_quit", mask: 2, summary: "The appliance or the daemon went away." },
  { name: "launch_done", mask: 4, summary: "The handle became ready." },
  { name: "progress", mask: 8, summary: "A long call went on." },
  { name: "appliance", mask: 16, summary: "The appliance or the daemon wrote to its log." },
  { name: "library", mask: 32, summary: "The library wrote a debug message." },
  { name: "trace", mask: 64, summary: "A call was made (with trace on)." },
  { name: "enter", mask: 128, summary: "A call was entered." },
  { name: "libvirt_auth", mask: 256, summary: "libvirt asks for credentials." },
  { name: "warning", mask: 512, summary: "Something is not right but the call goes on." },
];
