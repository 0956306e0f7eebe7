/** For the packages beside this one; promises nothing to anyone else. @packageDocumentation */
export { decodeText, encodeText, windowSerial } from "@guestfs/protocol";
export { parseBoolean } from "./environment.ts";
export { MethodPlan } from "./method-plan.ts";
export type { ParsedCall } from "./method-plan.ts";
export { domainState, findDomain, parseDomain } from "./libvirt/domain.ts";
export type { DomainChannel } from "./libvirt/domain.ts";
export { clientsMax, domainWindowSize } from "./libvirt/domain-window.ts";
export type { DomainWindow } from "./libvirt/domain-window.ts";
export { virsh, VirshError } from "./libvirt/virsh.ts";
export type { LibvirtConnection } from "./libvirt/virsh.ts";
export { ApplianceError, buildAppliance, reportHost, startAppliance, startWaitingAppliance } from "@guestfs/appliance";
export type { ApplianceOptions, BuiltAppliance, Finding, HostReport } from "@guestfs/appliance";
export { applianceOptions } from "./attach/appliance.ts";
export { mountedOn, unmountFolder } from "./fuse/mount.ts";
export { fuseHelp, parseFuseOptions } from "./mount-local/fuse-options.ts";
export { Settings } from "./settings.ts";
