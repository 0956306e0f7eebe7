/**
 * Oracles for the tests: the distribution's own daemon and shell, without a virtual machine.
 * For Debian 12 as root; what can't run here says why.
 * @packageDocumentation
 */
export { startOwnDaemon } from "./own-daemon.ts";
export type { OwnDaemon } from "./own-daemon.ts";
export { startStockDaemon, whyNoStockDaemon } from "./stock-daemon.ts";
export type { StockDaemon } from "./stock-daemon.ts";
export { startTerminal } from "./terminal.ts";
export type { Terminal } from "./terminal.ts";
export { pretendRunningDomain, whyNoVirsh } from "./running-domain.ts";
export type { RunningDomain } from "./running-domain.ts";
export { startRecordingProxy } from "./recording-proxy.ts";
export type { Passage, RecordingProxy } from "./recording-proxy.ts";
export { stockGuestfishHypervisor, whyNoStockGuestfish } from "./stock-guestfish.ts";
export type { GuestfishTarget, StockGuestfish } from "./stock-guestfish.ts";
export { PeerConversation, startScriptedPeer } from "./scripted-peer.ts";
export type { ReceivedCall, ScriptedPeer } from "./scripted-peer.ts";
export { minimalHive } from "./minimal-hive.ts";
export { GuestAgent } from "./live/guest-agent.ts";
export type { GuestOutcome } from "./live/guest-agent.ts";
export { buildGuestImage } from "./live/guest-image.ts";
export { startLibvirt, whyNoLiveMachine } from "./live/libvirt.ts";
export type { Libvirt } from "./live/libvirt.ts";
export { startLiveMachine } from "./live/live-machine.ts";
export type { LiveMachine, LiveMachineOptions } from "./live/live-machine.ts";
export { RawClient, ReplyError } from "./raw-client.ts";
export type { Reply } from "./raw-client.ts";
